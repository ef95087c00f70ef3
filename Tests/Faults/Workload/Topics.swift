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

    /// One more in the end, so that the previous version of the broker's list has all of those that matter.
    static func create(_ client: MQClient, at address: String) async throws {
        for topic in all + ["Spare"] {
            let configuration = TopicConfiguration(name: topic, readQueues: queueCount, writeQueues: queueCount)
            try await client.createTopic(configuration, onBroker: address)
        }
    }
}

extension QueueName {
    var queue: MessageQueue { MessageQueue(topic: topic, brokerName: World.brokerName, queueID: queueID) }

    init(_ queue: MessageQueue) { self.init(queue.topic, queue.queueID) }
}
