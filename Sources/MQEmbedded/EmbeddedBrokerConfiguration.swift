public import Logging
public import MQProtocol

/// What an ``EmbeddedBroker`` can be told. Everything has a default.
public struct EmbeddedBrokerConfiguration: Sendable {
    /// When a message counts as stored.
    public enum Flush: Sendable, Hashable {
        /// When it reached the disk: survives a power loss.
        case synchronous
        /// At once: survives the end of the process; a power loss loses at most the last 500 ms.
        case asynchronous
    }

    /// Where the messages are kept; a store of RocketMQ's format. Nil: a temporary directory, removed at the end.
    /// Default: nil.
    public var directory: String?

    /// Default: the system's clock. With a manual one, delays, check-backs and retention follow it.
    public var time = TimeSource.system

    /// Default: synchronous.
    public var flush = Flush.synchronous

    /// Length of a log file in bytes; a store keeps the one it was created with. Default: 64 MiB.
    public var segmentBytes = 64 << 20

    /// Most queues of a topic that is created because a message was sent to it; the sender may want fewer. Default: 8.
    public var topicQueues: Int32 = 8

    /// Age at which a producer is asked for the verdict on its half message. Default: 1 s.
    public var firstCheck = Duration.seconds(1)

    /// Pause before it is asked again. Default: 60 s, as in RocketMQ.
    public var checkInterval = Duration.seconds(60)

    /// Stored half messages and timeouts name their broker: keep it with the directory. Default: `embedded`.
    public var brokerName = "embedded"

    /// Default: a logger labelled `MQEmbedded` that keeps warnings and errors.
    public var logger = Self.quietLogger

    public init(directory: String? = nil) {
        self.directory = directory
    }

    private static var quietLogger: Logger {
        var logger = Logger(label: "MQEmbedded")
        logger.logLevel = .warning
        return logger
    }
}
