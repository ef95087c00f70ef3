public import MQRemoting

/// Everything a broker can be told, with the defaults of RocketMQ 4.9 unless a member says otherwise.
///
/// Reading a RocketMQ properties file is a separate concern: `BrokerConfiguration+Properties.swift`.
public struct BrokerConfiguration: Sendable, Equatable {
    /// What a broker is to the others of its name.
    public enum Role: String, Sendable {
        /// Replies do not wait for slaves.
        case asynchronousMaster = "ASYNC_MASTER"
        /// Replies wait for one slave, when there is replication to wait for.
        case synchronousMaster = "SYNC_MASTER"
        case slave = "SLAVE"
    }

    /// `brokerClusterName`. Default: `DefaultCluster`.
    public var clusterName = "DefaultCluster"
    /// `brokerName`: the shard; a master and its slaves share it. Default: `DEFAULT_BROKER`; the tool puts the host's
    /// name.
    public var brokerName = "DEFAULT_BROKER"
    /// `brokerId`: 0 is the master, above 0 a slave. Default: 0.
    public var brokerID: Int64 = 0
    /// `brokerRole`. Default: asynchronous master.
    public var role = Role.asynchronousMaster
    /// `namesrvAddr`, split at `;`: each `host:port`. Default: none, the broker then registers nowhere.
    public var nameServers: [String] = []

    public var network = Network()
    public var topics = Topics()
    public var clients = Clients()
    public var registration = Registration()
    public var transactions = Transactions()
    public var storage = Storage()

    /// `brokerPermission`: 4 read, 2 write; applied on top of every topic's own. Default: 6.
    public var permission: Int32 = 6
    /// `startAcceptSendRequestTimeStamp`: sends before this epoch millisecond are refused. Default: 0.
    public var acceptSendsFrom: Int64 = 0
    /// `regionId`, returned with every send as `MSG_REGION`. Default: `DefaultRegion`.
    public var regionID = "DefaultRegion"
    /// `traceOn`, returned with every send as `TRACE_ON`. Default: true.
    public var traceOn = true
    /// `storeReplyMessageEnable`: a reply message is stored after it was pushed. Default: true.
    public var storesReplyMessages = true
    /// `messageDelayLevel`, as written. Default: 18 levels, 1 s to 2 h.
    public var delayLevels = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"
    /// `configBlackList`: keys that no request may change, beside the built-in ones.
    public var protectedKeys: [String] = []

    /// Keys of a file that are RocketMQ's but change nothing here, with their values as written.
    public var inertValues: [String: String] = [:]

    /// The file given with `-c`, to which changes by request are written back. `nil`: they last until the end.
    public var file: ConfigurationFile?

    public init() {}

    /// Where the broker listens and by which address others know it.
    public struct Network: Sendable, Equatable {
        /// `bindAddress` or `--listen`. `nil`: `0.0.0.0` when ``advertisedHost`` is not a loopback address, else
        /// loopback.
        public var listenHost: String?
        /// `listenPort`; the fast port is two below it. 0: both are chosen by the system. Default: 10911.
        public var listenPort = 10911
        /// `brokerIP1`: the host put into routes and message ids. `nil`: the host listened on.
        public var advertisedHost: String?
        /// `brokerIP2`: the host under which slaves find the replication port. `nil`: ``advertisedHost``.
        public var replicationHost: String?
        /// `serverChannelMaxIdleTimeSeconds`: a connection silent for this long is closed. Default: 120 s.
        public var idleTimeout = Duration.seconds(120)
        /// `serverSocketBacklog`. Default: 1024.
        public var backlog = 1024
        /// `tls.server.mode`, `tls.server.certPath`, `tls.server.keyPath` and `tls.server.trustCertPath`, which are
        /// system properties of RocketMQ: of both listeners. Default: offered once there is a certificate.
        public var tls = ServerTLS()

        public init() {}

        /// The host to bind, with the default applied.
        public var boundHost: String {
            if let listenHost { return listenHost }
            guard let advertisedHost, !Self.isLoopback(advertisedHost) else { return "127.0.0.1" }
            return advertisedHost.contains(":") ? "::" : "0.0.0.0"
        }

        /// The port of the second listener, which serves everything but pulls; 0 means ephemeral.
        public var fastPort: Int { listenPort == 0 ? 0 : listenPort - 2 }

        /// Whether nobody outside this machine can use `host`.
        public static func isLoopback(_ host: String) -> Bool {
            host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }

    public struct Topics: Sendable, Equatable {
        /// `autoCreateTopicEnable`: a send may create its topic from `TBW102`. Default: true.
        public var createOnSend = true
        /// `defaultTopicQueueNums`: queues of `TBW102`. Default: 8.
        public var templateQueues: Int32 = 8
        /// `clusterTopicEnable`: the topic named after the cluster may be used. Default: true.
        public var clusterTopic = true
        /// `brokerTopicEnable`: the topic named after the broker may be used. Default: true.
        public var brokerTopic = true
        /// `autoCreateSubscriptionGroup`: a consumer may create its group. Default: true.
        public var createGroups = true
        /// `traceTopicEnable`: create the trace topic at start. Default: false.
        public var traceTopic = false
        /// `msgTraceTopicName`. Default: `RMQ_SYS_TRACE_TOPIC`.
        public var traceTopicName = "RMQ_SYS_TRACE_TOPIC"

        public init() {}
    }

    public struct Clients: Sendable, Equatable {
        /// `longPollingEnable`: a pull may wait as long as it asks for. Default: true.
        public var longPolling = true
        /// `shortPollingTimeMills`: how long a pull waits without long polling. Default: 1 s.
        public var shortPolling = Duration.seconds(1)
        /// `notifyConsumerIdsChangedEnable`: members hear at once when their group changes. Default: true.
        public var notifyChanges = true
        /// `flushConsumerOffsetInterval`. Default: 5 s.
        public var offsetFlushInterval = Duration.seconds(5)
        /// A client that has not sent a heartbeat for this long is forgotten. Not a RocketMQ key. Default: 120 s.
        public var expiry = Duration.seconds(120)
        /// A queue lock not refreshed for this long is free. RocketMQ has it as a system property. Default: 60 s.
        public var lockLifetime = Duration.seconds(60)

        public init() {}
    }

    public struct Registration: Sendable, Equatable {
        /// `registerNameServerPeriod`, clamped to 10...60 s. Default: 30 s.
        public var period = Duration.seconds(30)
        /// `registerBrokerTimeoutMills`. Default: 6 s.
        public var timeout = Duration.seconds(6)
        /// `compressedRegister`: the registration's body is deflated. One of more than 1 MiB always is. Default: false.
        public var compressed = false
        /// `useTLS`: the name servers are spoken to with TLS. `nil`: when `tls.server.mode` is enforcing, as a cluster
        /// that requires it of everybody does.
        public var usesTLS: Bool?
        /// `tls.client.trustCertPath`: PEM file with the authorities of the name servers' certificates. `nil`: they are
        /// not checked, as in RocketMQ, whose servers may make up their own.
        public var authorityFile: String?
        /// `tls.client.certPath` and `tls.client.keyPath`: PEM files with this broker's certificate and its key, for
        /// name servers that ask for one. Default: none.
        public var certificateFile: String?
        public var privateKeyFile: String?

        public init() {}
    }

    public struct Transactions: Sendable, Equatable {
        /// `rejectTransactionMessage`: half messages are refused. Default: false.
        public var rejected = false
        /// `transactionTimeOut`: the age at which a half message is first checked. Default: 6 s.
        public var timeout = Duration.seconds(6)
        /// `transactionCheckMax`: check-backs before a half message is listed as unresolved. Default: 15.
        public var maximumChecks = 15
        /// `transactionCheckInterval`: pause between check-backs of one half message. Default: 60 s.
        public var checkInterval = Duration.seconds(60)

        public init() {}
    }

    /// What becomes the store's own configuration; see ``BrokerConfiguration/storeConfiguration()``.
    public struct Storage: Sendable, Equatable {
        /// `storePathRootDir`. Default: `store` in the current directory; the tool puts `$HOME/store`.
        public var directory = "store"
        /// `storePathCommitLog`, split at `,`. Empty: `<directory>/commitlog`.
        public var commitLogDirectories: [String] = []
        /// `readOnlyCommitLogStorePaths`, split at `,`: older commit-log files that are only read.
        /// One that is missing refuses the start. Default: none.
        public var readOnlyLogDirectories: [String] = []
        /// `flushDiskType`. Consumers then get a message once it is flushed. Default: true (RocketMQ's own default is
        /// asynchronous).
        public var synchronousFlush = true
        /// `flushIntervalCommitLog`: pause between asynchronous flushes. Default: 500 ms.
        public var flushInterval = Duration.milliseconds(500)
        /// `syncFlushTimeout`: a send waits this long for its flush. Default: 5 s.
        public var syncFlushTimeout = Duration.seconds(5)
        /// `mappedFileSizeCommitLog`, in bytes. Default: 1 GiB.
        public var segmentBytes = 1 << 30
        /// `mappedFileSizeConsumeQueue`, in bytes of 20-byte entries. Default: 6 000 000.
        public var queueSegmentBytes = 6_000_000
        /// `maxHashSlotNum` per index file. Default: 5 000 000.
        public var indexSlots = 5_000_000
        /// `maxIndexNum` per index file. Default: 20 000 000.
        public var indexEntries = 20_000_000
        /// `messageIndexEnable`: messages can be found by key. Default: true.
        public var messageIndex = true
        /// `maxMessageSize`, in bytes of body. Default: 4 MiB.
        public var maximumBodyBytes = 4 << 20
        /// `maxMsgsNumBatch`: most results of a query by key. Default: 64.
        public var maximumQueryResults = 64
        /// `defaultQueryMaxNum`: results of a query by unique key. Default: 32.
        public var uniqueKeyQueryResults = 32
        /// `deleteWhen`: hours of the day in which expired segments go. Default: 4.
        public var deleteHours: [Int] = [4]
        /// `fileReservedTime`, in hours. Default: 72 h.
        public var retention = Duration.seconds(72 * 3_600)
        /// `diskMaxUsedSpaceRatio`, in percent, clamped to 10...95. Default: 75.
        public var diskUsePercent = 75
        /// `cleanFileForciblyEnable`: beyond the watermark the oldest segments go whatever their age. Default: true.
        public var forcedDeletion = true
        /// `diskSpaceCleanForciblyRatio`, that watermark in percent (a system property in RocketMQ 4, a key in 5).
        /// Default: 85.
        public var forcedDeletionPercent = 85
        /// `diskSpaceWarningLevelRatio`, in percent: above it sends are refused. Default: 90.
        public var diskFullPercent = 90
        /// `retainUnconsumed`, a key of ours: what a group that ever committed an offset has not consumed yet is kept
        /// beyond `fileReservedTime`, until the disk is above `diskSpaceCleanForciblyRatio`. Default: false.
        public var retainsUnconsumed = false
        /// `checkCRCOnRecover`: recovery compares each message with its checksums. Default: true.
        public var checksOnRecovery = true
        /// `enabledAppendPropCRC`, a key of RocketMQ 5: each record ends with a checksum of all of it. Default: false.
        public var recordChecksum = false
        /// Records further behind the end of the log than this are read on threads that may wait for the disk. In
        /// bytes. Not a RocketMQ key. Default: 1 GiB.
        public var coldDistance = 1 << 30
        /// `accessMessageInMemoryMaxRatio`: records further behind the end of the log than this share of the machine's
        /// memory, in percent, count as on disk for ``coldPull``, and a new group does not begin at them unasked.
        /// Default: 40.
        public var memoryPercent = 40
        /// `maxTransferBytesOnMessageInMemory` and `maxTransferCountOnMessageInMemory`. Defaults: 256 KiB, 32.
        public var warmPull = PullLimit(bytes: 262_144, count: 32)
        /// `maxTransferBytesOnMessageInDisk` and `maxTransferCountOnMessageInDisk`. Defaults: 64 KiB, 8.
        public var coldPull = PullLimit(bytes: 65_536, count: 8)

        public init() {}
    }

    /// How much one pull may return.
    public struct PullLimit: Sendable, Equatable {
        public var bytes: Int
        public var count: Int

        public init(bytes: Int, count: Int) {
            self.bytes = bytes
            self.count = count
        }
    }
}

extension BrokerConfiguration {
    /// Bit of ``permission``: pulls are allowed.
    public var isReadable: Bool { permission & 4 != 0 }
    /// Bit of ``permission``: sends are allowed.
    public var isWritable: Bool { permission & 2 != 0 }
    /// The topic to which replies of request/reply messaging are sent.
    public var replyTopic: String { clusterName + "_REPLY_TOPIC" }
}
