import MQProtocol

/// The rules by which a send creates its topic (broker.md 4.3).
enum AutomaticTopic {
    /// The queue count of a retry topic that a send creates without a template.
    static let retryQueues: Int32 = 1
    static let inherit: Int32 = 1
    static let readWrite: Int32 = 6
    /// Bit 0 of a topic's system flag: it belongs to a unit.
    static let unitFlag: Int32 = 1
    /// Bit 1: a retry topic of a group whose clients run in units.
    static let unitSubscriptionFlag: Int32 = 2

    /// The topic that a send creates, or `nil` when it may not.
    ///
    /// - Parameters:
    ///   - template: the topic named by the send's `defaultTopic`, if there is one.
    ///   - queueCount: the queues the client asks for; the template's count is the limit.
    ///   - isEnabled: `autoCreateTopicEnable`; it governs the template `TBW102` only.
    static func config(
        _ name: String, template: TopicConfig?, queueCount: Int32, unit: Bool, isEnabled: Bool
    ) -> TopicConfig? {
        if let template, let config = inherited(name, template, queueCount, unit, isEnabled) { return config }
        guard TopicName.isRetry(name) else { return nil }
        return TopicConfig(
            topicName: name, readQueueNums: retryQueues, writeQueueNums: retryQueues, perm: readWrite,
            topicSysFlag: unit ? unitSubscriptionFlag : 0
        )
    }

    private static func inherited(
        _ name: String, _ template: TopicConfig, _ queueCount: Int32, _ unit: Bool, _ isEnabled: Bool
    ) -> TopicConfig? {
        guard template.perm & inherit != 0 else { return nil }
        if template.topicName == SystemTopic.autoCreate, !isEnabled { return nil }
        let queues = max(0, min(queueCount, template.writeQueueNums))
        return TopicConfig(
            topicName: name, readQueueNums: queues, writeQueueNums: queues, perm: template.perm & ~inherit,
            topicFilterType: template.topicFilterType, topicSysFlag: unit ? unitFlag : 0
        )
    }
}
