import ArgumentParser

/// The sub-commands, in RocketMQ's order.
enum CommandList {
    static let all: [any AdminCommand.Type] = [
        UpdateTopic.self, DeleteTopic.self, UpdateSubGroup.self, DeleteSubGroup.self, TopicRouteCommand.self,
        TopicStatus.self, BrokerStatus.self, QueryMsgByID.self, QueryMsgByKey.self, QueryMsgByUniqueKey.self,
        PrintMsg.self,
        ConsumerProgressCommand.self, ClusterList.self, TopicList.self, ResetOffsetByTime.self, SendMessage.self,
        ConsumeMessage.self,
    ]

    /// Names compare without regard to case.
    static func command(named name: String) -> (any AdminCommand.Type)? {
        all.first { $0.commandName.lowercased() == name.lowercased() }
    }

    static var overview: String {
        let lines = all.map { command in
            "   " + command.commandName.padded(to: 20) + " " + command.configuration.abstract
        }
        return """
            The most commonly used mqadmin commands are:
            \(lines.joined(separator: "\n"))

            See 'mqadmin help <command>' for more information on a specific command.
            """
    }
}
