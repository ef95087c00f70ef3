import MQProtocol
import MQRemoting

/// Who is connected, as operators ask it.
enum ConnectionRequests {
    /// 203
    static func consumers(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("consumerGroup")
        guard let group = context.broker.clients.consumerGroup(name) else {
            throw RequestError(.consumerNotOnline, "the consumer group[\(name)] not online")
        }
        let body = ConsumerConnection(
            connections: context.broker.clients.consumers(of: name).map(connection),
            consumeFromWhere: group.consumeFromWhere, consumeType: group.consumeType,
            messageModel: group.messageModel, subscriptions: group.subscriptions
        )
        return .reply(Reply(body: body.encode()))
    }

    /// 204
    static func producers(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("producerGroup")
        guard let members = context.broker.clients.producers()[name] else {
            throw RequestError(.systemError, "the producer group[\(name)] not exist")
        }
        return .reply(Reply(body: ProducerConnection(connections: members.map(connection)).encode()))
    }

    /// 328
    static func allProducers(_ context: RequestContext) throws(RequestError) -> Outcome {
        let groups = context.broker.clients.producers().mapValues { $0.map(producer) }
        let body = ProducerTableInfo(groups: groups)
        return .reply(Reply(body: body.encode()))
    }

    private static func connection(_ member: ClientTable.Registry.Member) -> ClientConnection {
        ClientConnection(
            clientID: member.clientID, clientAddr: "\(member.connection.remoteAddress)",
            language: member.language.name, version: member.version
        )
    }

    private static func producer(_ member: ClientTable.Registry.Member) -> ProducerTableInfo.Producer {
        ProducerTableInfo.Producer(
            clientID: member.clientID, remoteIP: "/\(member.connection.remoteAddress)",
            language: member.language.name, version: member.version, lastUpdate: member.lastSeen
        )
    }
}
