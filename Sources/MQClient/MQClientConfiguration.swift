public import Logging
public import MQProtocol

/// What an ``MQClient`` needs to know. Only the name servers have no default.
///
/// ```swift
/// var configuration = MQClientConfiguration(nameServers: try NameServerAddresses("127.0.0.1:9876"))
/// configuration.requestTimeout = .seconds(10)
/// ```
public struct MQClientConfiguration: Sendable {
    /// Nil for a client that is only ever told broker addresses.
    public var nameServers: NameServerAddresses?

    /// Names this client at the brokers; the members of a consumer group share out queues in order of their ids. Two
    /// clients must not have the same. Default: address, process id and a time in nanoseconds, `ip@pid#ns`, as in
    /// RocketMQ's clients.
    public var clientID = LocalMachine.uniqueClientID()

    /// How long a connection attempt may take. Default: 3 s.
    public var connectTimeout: Duration = .seconds(3)

    /// How long one request may wait for its answer. Default: 3 s.
    public var requestTimeout: Duration = .seconds(3)

    /// How old a route may be before it is asked for again. Default: 30 s, as in RocketMQ's clients.
    public var routeRefreshInterval: Duration = .seconds(30)

    /// How often brokers are told of this client's groups. Default: 30 s, as in RocketMQ's clients; brokers forget a
    /// client after two minutes.
    public var heartbeatInterval: Duration = .seconds(30)

    /// How long sending one message may take, all attempts together. Default: 3 s, as in RocketMQ's clients. An attempt
    /// that waits so long for its answer leaves no time for another one.
    public var sendTimeout: Duration = .seconds(3)

    /// Attempts to send one message, each at another broker if there is one. Default: 3.
    public var sendAttempts = 3

    /// Bodies of at least this many bytes are compressed with zlib. Default: 4096, as in RocketMQ's clients.
    /// `Int.max` never compresses.
    public var compressionThreshold = 4096

    /// The largest body sent, in bytes, before compression. Default: 4 MiB, the broker's own default.
    public var maximumBodyBytes = 4 * 1024 * 1024

    /// Producer group named in sends and in heartbeats. Default: `ESCROW_CLIENT`.
    public var producerGroup = "ESCROW_CLIENT"

    /// Queues per broker for a topic that the broker creates because a message was sent to it. Default: 4.
    public var automaticTopicQueues: Int32 = 4

    /// Default: a logger labelled `MQClient`.
    public var logger = Logger(label: "MQClient")

    /// Default: the system's clock.
    public var time = TimeSource.system

    public init(nameServers: NameServerAddresses?) {
        self.nameServers = nameServers
    }
}
