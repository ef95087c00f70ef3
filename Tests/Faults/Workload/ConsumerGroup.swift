import MQProtocol

/// A group that consumes what the laboratory sends.
enum ConsumerGroup: String, Sendable, CaseIterable {
    /// Handles messages of any queue at the same time; what fails comes back through the group's retry topic.
    case stock = "FaultStock"
    /// Handles each queue in its order; what fails holds up its queue.
    case ordered = "FaultOrdered"

    /// Failed attempts after the first that end with a dead letter.
    static let maximumRetries: Int32 = 2

    var topics: [String] {
        switch self {
        case .stock: [Topics.single, Topics.delayed, Topics.transactional]
        case .ordered: [Topics.ordered]
        }
    }

    var queues: [QueueName] { topics.flatMap { topic in (0..<Topics.queueCount).map { QueueName(topic, $0) } } }

    var retryTopic: String { TopicName.retry(group: rawValue) }

    var deadLetters: QueueName { QueueName(TopicName.deadLetter(group: rawValue), 0) }
}
