/// Topics that brokers make for themselves.
package enum SystemTopic {
    /// The template of automatically created topics.
    package static let autoCreate = "TBW102"
    /// Delayed messages: one queue per delay level.
    package static let schedule = "SCHEDULE_TOPIC_XXXX"
    package static let half = "RMQ_SYS_TRANS_HALF_TOPIC"
    /// Says which half messages are decided.
    package static let opHalf = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
    /// Half messages that a stock broker has given up.
    package static let transactionCheckMaximum = "TRANS_CHECK_MAX_TIME_TOPIC"
    package static let selfTest = "SELF_TEST_TOPIC"
    package static let offsetMoved = "OFFSET_MOVED_EVENT"
    /// Delayed messages that could not be delivered when they were due. Ours: a stock broker has no such topic.
    package static let undelivered = "ESCROW_UNDELIVERED"
    package static let benchmark = "BenchmarkTest"
    package static let trace = "RMQ_SYS_TRACE_TOPIC"
    /// Where a 5.x broker keeps messages of arbitrary delay.
    package static let timerWheel = "rmq_sys_wheel_timer"
    /// Any name with this prefix is a system topic.
    package static let prefix = "rmq_sys_"

    /// What comes behind the cluster's name in the name of its reply topic.
    package static let replySuffix = "_REPLY_TOPIC"

    package static func reply(cluster: String) -> String { cluster + replySuffix }

    private static let fixed: Set<String> = [
        autoCreate, schedule, benchmark, half, trace, opHalf, transactionCheckMaximum, selfTest, offsetMoved,
        undelivered,
    ]

    private static let closedToClients: Set<String> = [
        schedule, half, opHalf, transactionCheckMaximum, selfTest, offsetMoved,
        undelivered,
    ]

    /// Whether a topic is one of the broker's own. Those named after the broker and its cluster are known only to the
    /// broker: it passes its names.
    package static func contains(_ topic: String, cluster: String? = nil, broker: String? = nil) -> Bool {
        if fixed.contains(topic) || topic.utf8.starts(with: prefix.utf8) { return true }
        if let broker, topic == broker { return true }
        guard let cluster else { return false }
        return topic == cluster || topic == reply(cluster: cluster)
    }

    /// Whether clients may not send to the topic (answer code 16).
    package static func forbidsSending(_ topic: String) -> Bool {
        closedToClients.contains(topic)
    }
}
