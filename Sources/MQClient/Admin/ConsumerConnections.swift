/// The live members of a consumer group, and what they consume.
public struct ConsumerConnections: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public var clientID: String
        /// `ip:port`.
        public var address: String
        public var language: String
        public var version: Int32
    }

    public struct Subscription: Sendable, Hashable {
        public var topic: String
        /// `*`, or tags joined with `||`.
        public var expression: String
        /// `TAG` or `SQL92`.
        public var type: String
        public var tags: Set<String>
    }

    public var members: [Member]
    /// By topic.
    public var subscriptions: [String: Subscription]
    /// `CONSUME_PASSIVELY` (push) or `CONSUME_ACTIVELY` (pull).
    public var consumeType: String
    /// `CLUSTERING` or `BROADCASTING`.
    public var messageModel: String
    public var consumeFromWhere: String
}
