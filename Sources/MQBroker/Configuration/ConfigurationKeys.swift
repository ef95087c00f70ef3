import MQProtocol
import MQRemoting

/// Every key of RocketMQ 4.9's broker, server and store configuration (broker.md 1.2 to 1.4), and of RocketMQ 5's those
/// that act here, with system properties of 4.9: the two `diskSpace...Ratio`, `enabledAppendPropCRC`, `tls.server.*`,
/// `tls.client.*`.
enum ConfigurationKeys {
    static let all: [ConfigurationKey] =
        identity + behaviour + clients + store + network + threads + inertStore + inertNetwork

    private static let byName: [String: ConfigurationKey] = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }
    )

    /// The key, also under the spelling of "mapped" that RocketMQ does not use for it.
    static func find(_ name: String) -> ConfigurationKey? {
        if let key = byName[name] { return key }
        for (wrong, right) in [("maped", "mapped"), ("Maped", "Mapped"), ("mapped", "maped"), ("Mapped", "Maped")] {
            guard let range = name.firstRange(of: wrong) else { continue }
            if let key = byName[name.replacingCharacters(in: range, with: right)] { return key }
        }
        return nil
    }

    private static let times: ClosedRange<Int64> = 1...86_400_000

    private static let identity: [ConfigurationKey] = [
        .text("brokerClusterName", \.clusterName).important,
        .text("brokerName", \.brokerName).important,
        .integer("brokerId", \.brokerID, 0...Int64.max).important,
        .brokerRole("brokerRole").important,
        .nameServers("namesrvAddr").important,
        .optionalText("brokerIP1", \.network.advertisedHost).important,
        .optionalText("brokerIP2", \.network.replicationHost),
        .integer("brokerPermission", \.permission, 0...15).mutable,
        .milliseconds("registerNameServerPeriod", \.registration.period, times).mutable,
        .milliseconds("registerBrokerTimeoutMills", \.registration.timeout, times).mutable,
        .boolean("compressedRegister", \.registration.compressed).mutable,
        .textList("configBlackList", \.protectedKeys, separator: ";"),
    ]

    private static let behaviour: [ConfigurationKey] = [
        .integer("defaultTopicQueueNums", \.topics.templateQueues, 1...Int32(65_536)),
        .boolean("autoCreateTopicEnable", \.topics.createOnSend).important.mutable,
        .boolean("clusterTopicEnable", \.topics.clusterTopic),
        .boolean("brokerTopicEnable", \.topics.brokerTopic),
        .boolean("autoCreateSubscriptionGroup", \.topics.createGroups).important.mutable,
        .text("msgTraceTopicName", \.topics.traceTopicName).important,
        .boolean("traceTopicEnable", \.topics.traceTopic).important,
        .boolean("rejectTransactionMessage", \.transactions.rejected).important.mutable,
        .milliseconds("transactionTimeOut", \.transactions.timeout, times).important.mutable,
        .integer("transactionCheckMax", \.transactions.maximumChecks, 1...1_000_000).important.mutable,
        .milliseconds("transactionCheckInterval", \.transactions.checkInterval, times).important.mutable,
        .integer("startAcceptSendRequestTimeStamp", \.acceptSendsFrom, 0...Int64.max).mutable,
        .text("regionId", \.regionID),
        .boolean("traceOn", \.traceOn).mutable,
        .boolean("storeReplyMessageEnable", \.storesReplyMessages).mutable,
        .delayLevels("messageDelayLevel"),
    ]

    private static let clients: [ConfigurationKey] = [
        .boolean("longPollingEnable", \.clients.longPolling).mutable,
        .milliseconds("shortPollingTimeMills", \.clients.shortPolling, times).mutable,
        .boolean("notifyConsumerIdsChangedEnable", \.clients.notifyChanges).mutable,
        .milliseconds("flushConsumerOffsetInterval", \.clients.offsetFlushInterval, times).mutable,
    ]

    private static let store: [ConfigurationKey] = [
        .text("storePathRootDir", \.storage.directory).important,
        .textList("storePathCommitLog", \.storage.commitLogDirectories, separator: ",").important,
        .textList("readOnlyCommitLogStorePaths", \.storage.readOnlyLogDirectories, separator: ","),
        .flushDiskType("flushDiskType").important,
        .milliseconds("flushIntervalCommitLog", \.storage.flushInterval, times).important,
        .milliseconds("syncFlushTimeout", \.storage.syncFlushTimeout, times).mutable,
        .integer("mappedFileSizeCommitLog", \.storage.segmentBytes, 1024...Int(Int32.max)),
        .queueSegmentBytes("mappedFileSizeConsumeQueue"),
        .integer("maxHashSlotNum", \.storage.indexSlots, 1...200_000_000),
        .integer("maxIndexNum", \.storage.indexEntries, 2...200_000_000),
        .boolean("messageIndexEnable", \.storage.messageIndex).important,
        .integer("maxMessageSize", \.storage.maximumBodyBytes, 1...(1 << 28)),
        .integer("maxMsgsNumBatch", \.storage.maximumQueryResults, 1...10_000).mutable,
        .integer("defaultQueryMaxNum", \.storage.uniqueKeyQueryResults, 1...10_000).mutable,
        .deleteHours("deleteWhen").important.mutable,
        .duration("fileReservedTime", \.storage.retention, 1...1_000_000, unit: 3_600_000).important.mutable,
        .diskUsePercent("diskMaxUsedSpaceRatio").mutable,
        .boolean("cleanFileForciblyEnable", \.storage.forcedDeletion).important.mutable,
        .integer("diskSpaceCleanForciblyRatio", \.storage.forcedDeletionPercent, 1...100).mutable,
        .integer("diskSpaceWarningLevelRatio", \.storage.diskFullPercent, 1...100).mutable,
        .boolean("retainUnconsumed", \.storage.retainsUnconsumed).mutable,
        .boolean("checkCRCOnRecover", \.storage.checksOnRecovery),
        .boolean("enabledAppendPropCRC", \.storage.recordChecksum),
        .integer("accessMessageInMemoryMaxRatio", \.storage.memoryPercent, 0...100).important,
        .integer("maxTransferBytesOnMessageInMemory", \.storage.warmPull.bytes, 1...(1 << 28)).important,
        .integer("maxTransferCountOnMessageInMemory", \.storage.warmPull.count, 1...100_000).important,
        .integer("maxTransferBytesOnMessageInDisk", \.storage.coldPull.bytes, 1...(1 << 28)).important,
        .integer("maxTransferCountOnMessageInDisk", \.storage.coldPull.count, 1...100_000).important,
    ]

    private static let network: [ConfigurationKey] = [
        .optionalText("bindAddress", \.network.listenHost),
        .listenPort("listenPort"),
        .duration("serverChannelMaxIdleTimeSeconds", \.network.idleTimeout, 1...86_400, unit: 1000),
        .integer("serverSocketBacklog", \.network.backlog, 1...65_535),
        .tlsMode("tls.server.mode"),
        .optionalText("tls.server.certPath", \.network.tls.certificateFile),
        .optionalText("tls.server.keyPath", \.network.tls.privateKeyFile),
        .optionalText("tls.server.trustCertPath", \.network.tls.clientAuthorityFile),
        .useTLS("useTLS"),
        .optionalText("tls.client.trustCertPath", \.registration.authorityFile),
        .optionalText("tls.client.certPath", \.registration.certificateFile),
        .optionalText("tls.client.keyPath", \.registration.privateKeyFile),
    ]
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
