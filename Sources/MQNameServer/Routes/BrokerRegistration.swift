import MQProtocol

/// What one broker says about itself.
struct BrokerRegistration {
    var clusterName: String
    var brokerName: String
    /// `ip:port` where clients reach the broker.
    var address: String
    /// 0 is the master.
    var brokerID: Int64
    /// `ip:port` where slaves follow the broker.
    var haAddress: String
    var dataVersion: DataVersion
    var topics: [TopicConfig]
    var filterServers: [String]
    /// The connection over which it came; the broker is gone when that closes.
    var connection: UInt64
}

/// What a broker learns when it registers.
struct RegistrationAnswer: Equatable {
    /// Not known before, or known under another id.
    var isNew: Bool
    /// Only for slaves, while a master is registered.
    var masterAddress: String?
    var masterHAAddress: String?
}

/// A broker that is no longer registered, and why it was removed is up to the caller.
struct RemovedBroker: Equatable {
    var address: String
    var brokerName: String
    var connection: UInt64
}
