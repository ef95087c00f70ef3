public import MQProtocol

/// How the members of a group divide the work.
public enum MessageModel: Sendable, Hashable {
    /// Each message goes to one member.
    case clustering
    /// Each message goes to every member. Offsets are in a file of each member; what fails is dropped.
    case broadcasting
}

/// What may be handled at the same time.
public enum ConsumeOrder: Sendable, Hashable {
    /// Any messages.
    case concurrent
    /// One batch of a queue at a time, in order. In clustering a queue is locked at its broker, so that this holds for
    /// the whole group.
    case orderly
}

/// Where a group begins on a queue that it has no offset for.
///
/// Brokers, stock ones too, answer offset 0 for a new group while a queue still has its first message and it is in
/// memory: a group then begins there, whatever is said here.
public enum ConsumeStart: Sendable, Hashable {
    /// With messages that come from now on.
    case lastOffset
    /// With the first message that the queue still has.
    case firstOffset
    /// With the first message that was stored then or later.
    case timestamp(Timestamp)
}

/// What a ``PushConsumer`` needs to know. Defaults are those of RocketMQ's clients unless they say otherwise.
public struct ConsumerConfiguration: Sendable {
    /// At most 120 characters of `%|a-zA-Z0-9_-`.
    public var group: String

    /// By topic: `*` for everything, or tags joined with `||`. All members of a group must subscribe to the same.
    public var subscriptions: [String: String] = [:]

    /// Default: clustering.
    public var model = MessageModel.clustering

    /// Default: concurrent.
    public var order = ConsumeOrder.concurrent

    /// Default: the last offset.
    public var start = ConsumeStart.lastOffset

    /// Messages handed to one call of the handler at most, all of one queue, in its order. 1…1024. Default: 1.
    public var batchSize = 1

    /// Calls of the handler at the same time; in orderly mode queues at the same time. 1…1000. Default: 20.
    public var concurrency = 20

    /// Messages asked for in one pull. 1…1024. Default: 32.
    public var pullBatchSize = 32

    /// Unfinished messages of a queue beyond which no more is pulled. 1…65535. Default: 1000.
    public var pullThresholdForQueue = 1000

    /// Bytes of bodies of unfinished messages of a queue beyond which no more is pulled. Default: 100 MiB.
    public var pullThresholdBytesForQueue = 100 << 20

    /// Unfinished messages of all this consumer's queues together, shared out evenly among the queues it has; takes the
    /// place of ``pullThresholdForQueue``. 1…6553500. Default: nil, no limit of its own.
    public var pullThresholdForTopic: Int?

    /// The same for bytes of bodies; takes the place of ``pullThresholdBytesForQueue``. 1 B…100 GiB. Default: nil.
    public var pullThresholdBytesForTopic: Int?

    /// Offsets between the first and the last unfinished message of a queue beyond which no more is pulled, in
    /// concurrent mode: a slow message keeps the group's offset, and a restart repeats what lies behind it.
    /// 1…65535. Default: 2000.
    public var maximumSpan = 2000

    /// Failed attempts after which a message is a dead letter. Default: −1, which is 16 for messages sent back and
    /// no limit for messages that an orderly handler suspends.
    public var maximumReconsumeTimes: Int32 = -1

    /// The pause after an orderly handler threw an error or gave too few outcomes. 10 ms…30 s. Default: 1 s.
    public var suspendTime: Duration = .seconds(1)

    /// In concurrent mode, a message that a handler has had for longer is sent back and no longer holds up the
    /// group's offset. The handler is not stopped. Default: 15 min.
    public var consumeTimeout: Duration = .seconds(15 * 60)

    /// How long a graceful shutdown waits for running handlers before it cancels them. Default: 30 s. (Stock clients
    /// do not wait.)
    public var drainTimeout: Duration = .seconds(30)

    /// The folder under which a broadcasting consumer keeps its offsets, at `CLIENT-ID/GROUP/offsets.json` in
    /// RocketMQ's format. Default: nil, `.rocketmq_offsets` in the home directory. The client id must stay the same
    /// from start to start.
    public var offsetDirectory: String?

    /// How queues are shared out. Default: average.
    public var allocation = AllocationStrategy.average

    /// Messages whose body cannot be read go to the handler, which looks at ``ReceivedMessage/unreadable``. Default:
    /// false, they are dead letters; when broadcasting they are dropped. What lies behind them goes on either way.
    public var handsOverUnreadable = false

    /// After a broker lost the end of a queue, as after a power loss: go back to where messages may begin that were
    /// stored since, so that none is missed and some come again; but not to messages that are older than this by the
    /// broker's clock. That the end was lost is noticed when the offset lies behind it, and when another message is in
    /// the place of the last one that was pulled, which is looked at once for each connection. A group that consumed
    /// nothing for longer than that may miss what was stored before. What was lost while no member ran is noticed when
    /// the group's offset lies behind the end then; this broker takes such offsets back, stock ones and the files of
    /// broadcasting consumers do not. Default: nil, go on behind the last message, as RocketMQ's clients do.
    public var lostEndHorizon: Duration?

    /// Sees the client ids of the group's members each time they were fetched for a rebalance, before any queue is
    /// taken. Throwing refuses to consume: the consumer gives up its queues and ``PushConsumer/run()`` ends with that
    /// error. Not called when broadcasting.
    public var admitsMembers: (@Sendable ([String]) throws -> Void)?

    public init(group: String) {
        self.group = group
    }
}

extension ConsumerConfiguration {
    /// - Throws: ``MQClientError/Code/invalidConfiguration`` that names the value.
    func validate() throws(MQClientError) {
        if let remark = GroupName.remark(refusing: group) {
            throw MQClientError(.invalidConfiguration, "The consumer group \"\(group)\" is not possible: \(remark)")
        }
        guard group != GroupName.defaultConsumer, group.utf8.count <= GroupName.maximumConsumerLength else {
            throw MQClientError(
                .invalidConfiguration,
                "The consumer group \"\(group)\" is not possible: give it a name of its own of at most "
                    + "\(GroupName.maximumConsumerLength) characters.")
        }
        guard !subscriptions.isEmpty else {
            throw MQClientError(.invalidConfiguration, "The consumer of \(group) subscribes to nothing: name a topic.")
        }
        for topic in subscriptions.keys.sorted() {
            if let remark = TopicName.remark(refusing: topic) {
                throw MQClientError(.invalidConfiguration, "The topic \"\(topic)\" is not possible: \(remark)")
            }
        }
        try check("batchSize", batchSize, in: 1...1024)
        try check("concurrency", concurrency, in: 1...1000)
        try check("pullBatchSize", pullBatchSize, in: 1...1024)
        try check("pullThresholdForQueue", pullThresholdForQueue, in: 1...65535)
        try check("pullThresholdBytesForQueue", pullThresholdBytesForQueue, in: 1...(1024 << 20))
        if let limit = pullThresholdForTopic { try check("pullThresholdForTopic", limit, in: 1...6_553_500) }
        if let limit = pullThresholdBytesForTopic {
            try check("pullThresholdBytesForTopic", limit, in: 1...(102_400 << 20))
        }
        try check("maximumSpan", maximumSpan, in: 1...65535)
        try check("consumeTimeout", consumeTimeout, in: .milliseconds(1)...Duration.seconds(Int64(Int32.max)))
        try check("drainTimeout", drainTimeout, in: .zero...Duration.seconds(Int64(Int32.max)))
        try check("suspendTime", suspendTime, in: .milliseconds(10)...Duration.seconds(30))
    }

    private func check<Value: Comparable>(
        _ name: String, _ value: Value, in range: ClosedRange<Value>
    ) throws(MQClientError) {
        guard !range.contains(value) else { return }
        throw MQClientError(
            .invalidConfiguration,
            "\(name) of the consumer of \(group) is \(value): it must be in \(range.lowerBound)...\(range.upperBound).")
    }

    /// Sent along with a message that is sent back.
    var reconsumeLimit: Int32 { maximumReconsumeTimes < 0 ? 16 : maximumReconsumeTimes }

    var rules: Settlement.Rules {
        Settlement.Rules(
            order: order, isBroadcasting: model == .broadcasting,
            maximumReconsumeTimes: maximumReconsumeTimes < 0 ? .max : maximumReconsumeTimes, suspendTime: suspendTime)
    }

    /// - Parameter count: how many queues the consumer has, of all topics.
    func flowLimits(sharedByQueues count: Int) -> FlowLimits {
        let queues = max(count, 1)
        return FlowLimits(
            count: pullThresholdForTopic.map { max($0 / queues, 1) } ?? pullThresholdForQueue,
            bytes: pullThresholdBytesForTopic.map { max($0 / queues, 1) } ?? pullThresholdBytesForQueue,
            span: order == .concurrent ? Int64(maximumSpan) : nil)
    }

    var limitsQueuesTogether: Bool { pullThresholdForTopic != nil || pullThresholdBytesForTopic != nil }

    /// Queues are locked at their brokers.
    var locksQueues: Bool { order == .orderly && model == .clustering }
}
