public import MQProtocol

/// How far a topic's queues reach.
public struct TopicStatistics: Sendable {
    public struct Queue: Sendable, Hashable {
        public var minimumOffset: Int64
        /// One more than the last message's.
        public var maximumOffset: Int64
        /// Store time of the last message; zero when there is none.
        public var lastUpdate: Timestamp

        public init(minimumOffset: Int64, maximumOffset: Int64, lastUpdate: Timestamp) {
            self.minimumOffset = minimumOffset
            self.maximumOffset = maximumOffset
            self.lastUpdate = lastUpdate
        }
    }

    public var queues: [MessageQueue: Queue]

    public init(queues: [MessageQueue: Queue]) {
        self.queues = queues
    }
}
