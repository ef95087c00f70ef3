public import MQProtocol

/// How far a consumer group has come.
public struct ConsumerProgress: Sendable {
    public struct Queue: Sendable, Hashable {
        /// One more than the last message's offset.
        public var brokerOffset: Int64
        /// Where the group goes on.
        public var consumerOffset: Int64
        /// Store time of the last message consumed; zero when there is none.
        public var lastConsumed: Timestamp

        public init(brokerOffset: Int64, consumerOffset: Int64, lastConsumed: Timestamp) {
            self.brokerOffset = brokerOffset
            self.consumerOffset = consumerOffset
            self.lastConsumed = lastConsumed
        }

        /// Messages still to be consumed. Offsets come from a broker, so a difference that overflows is possible.
        public var lag: Int64 {
            brokerOffset.subtractingReportingOverflow(consumerOffset).partialValue
        }
    }

    public var queues: [MessageQueue: Queue]
    /// Messages per second over the last minute, all brokers together.
    public var consumedPerSecond: Double

    public init(queues: [MessageQueue: Queue], consumedPerSecond: Double) {
        self.queues = queues
        self.consumedPerSecond = consumedPerSecond
    }

    public var totalLag: Int64 {
        queues.values.reduce(0) { $0 &+ $1.lag }
    }
}
