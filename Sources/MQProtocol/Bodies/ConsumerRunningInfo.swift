/// The internals of a consumer (307). What is read of it travels on as it came.
package struct ConsumerRunningInfo: JSONBody, Hashable {
    package struct QueueState: Sendable, Hashable {
        package var queue: MessageQueueKey
        package var commitOffset: Int64
        package var cachedCount: Int
        package var cachedBytes: Int
        package var cachedOffsets: ClosedRange<Int64>?
        package var isLocked: Bool
        package var isDropped: Bool
        package var lastLock: Timestamp
        package var lastPull: Timestamp
        package var lastConsumption: Timestamp

        package init(
            queue: MessageQueueKey, commitOffset: Int64, cachedCount: Int, cachedBytes: Int,
            cachedOffsets: ClosedRange<Int64>?, isLocked: Bool, isDropped: Bool, lastLock: Timestamp,
            lastPull: Timestamp, lastConsumption: Timestamp
        ) {
            self.queue = queue
            self.commitOffset = commitOffset
            self.cachedCount = cachedCount
            self.cachedBytes = cachedBytes
            self.cachedOffsets = cachedOffsets
            self.isLocked = isLocked
            self.isDropped = isDropped
            self.lastLock = lastLock
            self.lastPull = lastPull
            self.lastConsumption = lastConsumption
        }

        /// The members about transactions are of a mode of stock clients that we do not have.
        fileprivate var json: JSONValue {
            [
                "cachedMsgCount": JSONValue(cachedCount),
                "cachedMsgMaxOffset": JSONValue(cachedOffsets?.upperBound ?? 0),
                "cachedMsgMinOffset": JSONValue(cachedOffsets?.lowerBound ?? 0),
                "cachedMsgSizeInMiB": JSONValue(cachedBytes >> 20), "commitOffset": JSONValue(commitOffset),
                "droped": .bool(isDropped), "lastConsumeTimestamp": JSONValue(lastConsumption),
                "lastLockTimestamp": JSONValue(lastLock), "lastPullTimestamp": JSONValue(lastPull),
                "locked": .bool(isLocked), "transactionMsgCount": 0, "transactionMsgMaxOffset": 0,
                "transactionMsgMinOffset": 0, "tryUnlockTimes": 0,
            ]
        }
    }

    /// Rates per second, times in milliseconds.
    package struct TopicStatus: Sendable, Hashable {
        package var pullRT: Double
        package var pullTPS: Double
        package var consumeRT: Double
        package var consumeOKTPS: Double
        package var consumeFailedTPS: Double
        package var consumeFailedMessages: Int64

        package init(
            pullRT: Double, pullTPS: Double, consumeRT: Double, consumeOKTPS: Double, consumeFailedTPS: Double,
            consumeFailedMessages: Int64
        ) {
            self.pullRT = pullRT
            self.pullTPS = pullTPS
            self.consumeRT = consumeRT
            self.consumeOKTPS = consumeOKTPS
            self.consumeFailedTPS = consumeFailedTPS
            self.consumeFailedMessages = consumeFailedMessages
        }

        fileprivate var json: JSONValue {
            [
                "consumeFailedMsgs": JSONValue(consumeFailedMessages), "consumeFailedTPS": .double(consumeFailedTPS),
                "consumeOKTPS": .double(consumeOKTPS), "consumeRT": .double(consumeRT), "pullRT": .double(pullRT),
                "pullTPS": .double(pullTPS),
            ]
        }
    }

    package var queues: [MessageQueueKey]
    package var properties: [String: String]
    private var whole: JSONValue

    package init(
        queues: [QueueState], properties: [String: String], subscriptions: [SubscriptionData],
        topics: [String: TopicStatus]
    ) {
        self.queues = queues.map(\.queue)
        self.properties = properties
        whole = [
            "mqTable": .object(queues.map { $0.queue.member($0.json) }),
            "properties": .textMap(properties.map { ($0.key, JSONValue.string($0.value)) }),
            "statusTable": .textMap(topics.map { ($0.key, $0.value.json) }),
            "subscriptionSet": .array(subscriptions.map(\.json)),
        ]
    }

    package init(json: JSONValue) throws(BodyError) {
        whole = json
        queues = try MessageQueueKey.map(json["mqTable"]).map(\.queue)
        properties = [:]
        for member in json["properties"]?.members ?? [] { properties[member.key.text] = member.value.text }
    }

    package var json: JSONValue { whole }
}
