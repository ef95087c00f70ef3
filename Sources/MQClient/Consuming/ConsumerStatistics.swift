/// What a ``PushConsumer`` has done since it was made, and what it holds now.
public struct ConsumerStatistics: Sendable, Hashable {
    /// Messages received from brokers that passed the subscription.
    public var pulled = 0
    /// Messages that a handler consumed.
    public var consumed = 0
    /// Messages sent back to be delivered again.
    public var retried = 0
    /// Messages moved to the dead letters by this consumer. Those that the broker moves there because they were sent
    /// back too often count as retried.
    public var deadLetters = 0
    /// Times that a message was offered again without being sent back.
    public var suspended = 0
    /// Failed messages dropped in broadcasting.
    public var dropped = 0
    /// Times that a queue went on somewhere else because the broker did not have the offset asked for.
    public var offsetCorrections = 0
    /// Messages held and not finished.
    public var cached = 0
    /// Bytes of their bodies.
    public var cachedBytes = 0
    public var queuesHeld = 0
}
