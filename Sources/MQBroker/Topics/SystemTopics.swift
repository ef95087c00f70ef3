import MQProtocol

/// The topics that every broker has from its first start (broker.md 4.2).
enum SystemTopics {
    private static let clusterQueues: Int32 = 16
    private static let benchmarkQueues: Int32 = 1024
    /// One per delay level; the store makes further queues when more levels are configured.
    private static let scheduleQueues: Int32 = 18

    static func configs(_ configuration: BrokerConfiguration) -> [TopicConfig] {
        let topics = configuration.topics
        let inherit = AutomaticTopic.inherit
        let readWrite = AutomaticTopic.readWrite
        var configs = [
            config(SystemTopic.selfTest, 1),
            config(SystemTopic.benchmark, benchmarkQueues),
            config(
                configuration.clusterName, clusterQueues,
                topics.clusterTopic ? readWrite | inherit : inherit
            ),
            config(configuration.brokerName, 1, topics.brokerTopic ? readWrite | inherit : inherit),
            config(SystemTopic.offsetMoved, 1),
            config(SystemTopic.schedule, scheduleQueues),
            config(configuration.replyTopic, 1),
            config(SystemTopic.half, 1),
            // A stock broker makes it for its first verdict. Here it can be read before, by whoever looks for verdicts.
            config(SystemTopic.opHalf, 1),
        ]
        if topics.createOnSend {
            configs.append(config(SystemTopic.autoCreate, topics.templateQueues, readWrite | inherit))
        }
        if topics.traceTopic { configs.append(config(topics.traceTopicName, 1)) }
        return configs
    }

    private static func config(
        _ name: String, _ queues: Int32, _ permission: Int32 = AutomaticTopic.readWrite
    ) -> TopicConfig {
        TopicConfig(topicName: name, readQueueNums: queues, writeQueueNums: queues, perm: permission)
    }
}
