/// How the broker under test keeps its messages.
struct Setup: Sendable, Hashable {
    /// What an acknowledgement means.
    enum Flush: String, Sendable, CaseIterable {
        case synchronous = "SYNC_FLUSH"
        case asynchronous = "ASYNC_FLUSH"
    }

    var flush = Flush.synchronous
    /// RocketMQ 5's checksum of whole records.
    var hasRecordChecksum = true
    /// Whether old messages stay that a group has not consumed.
    var retainsUnconsumed = false

    static let segmentBytes = 256 << 10
    static let queueEntries = 100
    /// Milliseconds between flushes when asynchronous.
    private static let flushInterval: Int64 = 100

    /// How long before a power loss an acknowledgement must have been for its message to survive with asynchronous
    /// flush, in milliseconds: the interval, and the flush itself, which shares its processor with everything else.
    static let flushWindow = flushInterval + 600

    /// Files so small that a run of seconds fills several of each kind, and intervals so short that it sees their ends.
    var properties: [String: String] {
        [
            "flushDiskType": flush.rawValue,
            "enabledAppendPropCRC": "\(hasRecordChecksum)",
            "retainUnconsumed": "\(retainsUnconsumed)",
            "mappedFileSizeCommitLog": "\(Self.segmentBytes)",
            "maxMessageSize": "65536",
            "mappedFileSizeConsumeQueue": "\(Self.queueEntries * 20)",
            "maxHashSlotNum": "500",
            "maxIndexNum": "2000",
            "flushIntervalCommitLog": "\(Self.flushInterval)",
            "syncFlushTimeout": "2000",
            "transactionTimeOut": "1000",
            "transactionCheckInterval": "500",
            "transactionCheckMax": "100000",
            "flushConsumerOffsetInterval": "100",
            "fileReservedTime": "1",
            "deleteWhen": "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23",
            // The whole disk may be used, so that the system is what refuses.
            "diskMaxUsedSpaceRatio": "95",
            "diskSpaceWarningLevelRatio": "100",
            "cleanFileForciblyEnable": "false",
        ]
    }
}
