/// What a reset of offsets did.
public enum OffsetReset: Sendable {
    /// One queue of a group that was not online.
    public struct Move: Sendable, Hashable {
        public var queue: MessageQueue
        /// One more than the last message's.
        public var brokerOffset: Int64
        /// Where the group stood.
        public var consumerOffset: Int64
        /// Where the time asked for is.
        public var timestampOffset: Int64
        /// Where the group stands now.
        public var newOffset: Int64
    }

    /// The brokers told the group's members: the new offsets.
    case byBrokers([MessageQueue: Int64])
    /// No member was online, so the committed offsets were changed.
    case byTool([Move])
}
