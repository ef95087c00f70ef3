/// Names of message properties that clients and brokers give a meaning to. Ours are in ``ProtocolExtension``.
package enum PropertyName {
    /// Index keys separated by one space.
    package static let keys = "KEYS"
    package static let tags = "TAGS"
    /// `false`: answer without waiting for flush and replication; missing means `true`.
    package static let waitStored = "WAIT"
    /// Delay level, 1…; 0 is none.
    package static let delayLevel = "DELAY"
    /// The id the client gave; indexed.
    package static let uniqueKey = "UNIQ_KEY"
    /// The original topic of a message that was sent back.
    package static let retryTopic = "RETRY_TOPIC"
    /// The original topic of a delayed or half message; stays in the delivered record.
    package static let realTopic = "REAL_TOPIC"
    package static let realQueueID = "REAL_QID"
    /// `true` marks a half message; stays in the committed record.
    package static let transactionPrepared = "TRAN_MSG"
    /// The producer group of a half message.
    package static let producerGroup = "PGROUP"
    package static let transactionCheckTimes = "TRANSACTION_CHECK_TIMES"
    /// Seconds before the first check-back.
    package static let checkImmunitySeconds = "CHECK_IMMUNITY_TIME_IN_SECONDS"
    /// The half-queue offset of the first copy of a half message that was copied forward.
    package static let preparedQueueOffset = "TRAN_PREPARED_QUEUE_OFFSET"
    /// The offset id of the first copy of a message that was sent back.
    package static let originMessageID = "ORIGIN_MESSAGE_ID"
    package static let reconsumeTime = "RECONSUME_TIME"
    package static let maximumReconsumeTimes = "MAX_RECONSUME_TIMES"
    package static let consumeStartTime = "CONSUME_START_TIME"
    package static let minimumOffset = "MIN_OFFSET"
    package static let maximumOffset = "MAX_OFFSET"
    package static let cluster = "CLUSTER"
    package static let messageType = "MSG_TYPE"
    package static let correlationID = "CORRELATION_ID"
    package static let replyToClient = "REPLY_TO_CLIENT"
    /// How long the requester of a reply waits, in milliseconds.
    package static let timeToLive = "TTL"
    package static let pushReplyTime = "PUSH_REPLY_TIME"
    package static let arriveTime = "ARRIVE_TIME"
    package static let instanceID = "INSTANCE_ID"
    package static let messageRegion = "MSG_REGION"
    package static let traceSwitch = "TRACE_ON"
    package static let innerMultiDispatch = "INNER_MULTI_DISPATCH"
    package static let innerMultiQueueOffset = "INNER_MULTI_QUEUE_OFFSET"
    package static let buyerID = "BUYER_ID"
    package static let transferFlag = "TRANSFER_FLAG"
    package static let correctionFlag = "CORRECTION_FLAG"
    package static let mq2Flag = "MQ2_FLAG"
    /// Not reserved, but clients look at it.
    package static let transactionID = "__transactionId__"
    /// Not reserved, but clients look at it.
    package static let startDeliverTime = "__STARTDELIVERTIME"

    // Arbitrary delay, as 5.x clients and brokers spell it.

    /// Deliver so many seconds after the broker received the message.
    package static let timerDelaySeconds = "TIMER_DELAY_SEC"
    /// Deliver so many milliseconds after the broker received the message.
    package static let timerDelayMilliseconds = "TIMER_DELAY_MS"
    /// Deliver at this time, in milliseconds since 1970.
    package static let timerDeliverMilliseconds = "TIMER_DELIVER_MS"
    /// Set by the broker: the delivery time it decided on.
    package static let timerOutMilliseconds = "TIMER_OUT_MS"
    package static let timerEnqueueMilliseconds = "TIMER_ENQUEUE_MS"
    package static let timerDequeueMilliseconds = "TIMER_DEQUEUE_MS"
    package static let timerRollTimes = "TIMER_ROLL_TIMES"
    /// Cancels the timed message with this unique key.
    package static let timerDeleteUniqueKey = "TIMER_DEL_UNIQKEY"

    /// Set by clients and brokers, never by a user: the names above, and those of timers.
    package static func isReserved(_ name: String) -> Bool {
        reserved.contains(name) || name.utf8.starts(with: timerPrefix.utf8) || name == transactionCheckTimes
            || name == preparedQueueOffset || name == checkImmunitySeconds
    }

    private static let timerPrefix = "TIMER_"

    /// What a client refuses as the name of a user's property: the names above, except the four a user may set.
    package static let reserved: Set<String> = [
        keys, tags, waitStored, delayLevel, uniqueKey, retryTopic, realTopic, realQueueID, transactionPrepared,
        producerGroup, originMessageID, reconsumeTime, maximumReconsumeTimes, consumeStartTime, minimumOffset,
        maximumOffset, cluster, messageType, correlationID, replyToClient, timeToLive, pushReplyTime, arriveTime,
        instanceID, messageRegion, traceSwitch, innerMultiQueueOffset, buyerID, transferFlag, correctionFlag, mq2Flag,
    ]
}
