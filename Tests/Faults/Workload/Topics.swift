import MQClient

/// The queues that the laboratory sends to.
enum Topics {
    static let single = "Single"
    static let batch = "Batch"
    static let ordered = "Ordered"
    static let delayed = "Delayed"
    static let transactional = "Transactional"
    static let queueCount: Int32 = 2

    static let all = [single, batch, ordered, delayed, transactional]

    static let queues = all.flatMap { topic in (0..<queueCount).map { QueueName(topic, $0) } }

    /// Topics and groups. One more of each in the end, so that the previous versions of the broker's lists have all of
    /// those that matter.
    static func create(_ client: MQClient, at address: String) async throws {
        for group in ConsumerGroup.allCases {
            try await create(group.retryTopic, queues: 1, client, at: address)
            try await create(group.deadLetters.topic, queues: 1, client, at: address)
        }
        for topic in all + ["Spare"] { try await create(topic, queues: queueCount, client, at: address) }
        for group in ConsumerGroup.allCases.map(\.rawValue) + ["SpareGroup"] {
            try await client.createGroup(GroupConfiguration(name: group), onBroker: address)
        }
    }

    private static func create(
        _ topic: String, queues: Int32, _ client: MQClient, at address: String
    ) async throws {
        let configuration = TopicConfiguration(name: topic, readQueues: queues, writeQueues: queues)
        try await client.createTopic(configuration, onBroker: address)
    }
}

extension QueueName {
    var queue: MessageQueue { MessageQueue(topic: topic, brokerName: World.brokerName, queueID: queueID) }

    init(_ queue: MessageQueue) { self.init(queue.topic, queue.queueID) }
}
