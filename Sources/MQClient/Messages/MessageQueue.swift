/// One queue of a topic: the unit of order.
public struct MessageQueue: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var topic: String
    public var brokerName: String
    /// 0 … number of queues − 1 at its broker.
    public var queueID: Int32

    public init(topic: String, brokerName: String, queueID: Int32) {
        self.topic = topic
        self.brokerName = brokerName
        self.queueID = queueID
    }

    public static func < (lhs: MessageQueue, rhs: MessageQueue) -> Bool {
        (lhs.topic, lhs.brokerName, lhs.queueID) < (rhs.topic, rhs.brokerName, rhs.queueID)
    }

    public var description: String {
        "MessageQueue [topic=\(topic), brokerName=\(brokerName), queueId=\(queueID)]"
    }
}
