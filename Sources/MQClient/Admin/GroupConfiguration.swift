/// A consumer group's settings at one broker.
public struct GroupConfiguration: Sendable, Hashable {
    public var name: String
    /// Default: true.
    public var mayConsume = true
    /// Default: true.
    public var mayConsumeFromMinimum = true
    /// Default: true.
    public var mayBroadcast = true
    /// Default: 1.
    public var retryQueues: Int32 = 1
    /// Deliveries after the first before a message becomes a dead letter. Default: 16.
    public var maximumRetries: Int32 = 16
    /// Default: 0, the master.
    public var brokerID: Int64 = 0
    /// Where a group is sent that reads far behind. Default: 1, the first slave.
    public var slowConsumerBrokerID: Int64 = 1
    /// Whether members are told at once when another joins or leaves. Default: true.
    public var notifiesMembers = true

    public init(name: String) {
        self.name = name
    }
}
