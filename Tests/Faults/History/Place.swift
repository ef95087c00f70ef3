/// One queue of the broker under test.
struct QueueName: Hashable, Comparable, Sendable, CustomStringConvertible {
    var topic: String
    var queueID: Int32

    init(_ topic: String, _ queueID: Int32) {
        self.topic = topic
        self.queueID = queueID
    }

    static func < (lhs: QueueName, rhs: QueueName) -> Bool { (lhs.topic, lhs.queueID) < (rhs.topic, rhs.queueID) }

    var description: String { "\(topic)/\(queueID)" }
}

/// Where a broker said it has put a message.
struct Place: Hashable, Sendable, CustomStringConvertible {
    var queue: QueueName
    var offset: Int64

    var description: String { "\(queue)@\(offset)" }
}
