import Logging
import MQProtocol
import MQRemoting
import NIOCore
import Synchronization

/// A message that a tool wants consumed now, and who waits for the result.
struct DirectConsumption: Sendable {
    var message: ReceivedMessage
    var request: ReplyTo
    var connection: ConnectionHandle
}

/// What brokers ask of a consumer, mostly on behalf of tools.
extension PushConsumer {
    /// Messages to be consumed directly that may wait.
    private static let directLimit = 16

    /// On the event loop of the connection: only what is done at once.
    func take(_ request: Frame, on connection: Connection) {
        switch request.requestCode {
        case .notifyConsumerIDsChanged:
            finish(request, connection)
            rebalanceAlarm.ring()
        case .resetConsumerClientOffset:
            finish(request, connection)
            reset(request)
        case .getConsumerStatusFromClient:
            connection.reply(to: request.replyTo, .success, body: status(request.fields.string("topic")).encode())
        case .getConsumerRunningInfo:
            connection.reply(to: request.replyTo, .success, body: runningInfo.encode())
        case .consumeMessageDirectly:
            takeDirect(request, on: connection)
        default:
            RemotingClient.refuse(request, on: connection)
        }
    }

    /// These are sent one-way; a peer that waits all the same gets no answer.
    private func finish(_ request: Frame, _ connection: Connection) {
        if !request.isOneWay { connection.finishWithoutReply() }
    }

    // MARK: 220 and 221

    /// Gives up the queues named and stores their new offsets; they are taken anew and begun there.
    private func reset(_ request: Frame) {
        guard let body = try? ResetOffsetBody.decode(request.body) else {
            logger.warning("An order to reset offsets of \(configuration.group) cannot be read.")
            return
        }
        for entry in body.entries {
            let queue = MessageQueue(entry.queue)
            guard let held = state.withLock({ $0.held[queue] }) else { continue }
            logger.notice("\(configuration.group) goes on at \(entry.offset) of \(queue), by order of the broker.")
            held.end(.reset(to: entry.offset.rawValue))
        }
    }

    private func status(_ topic: String?) -> ConsumerStatusBody {
        let queues = heldQueues().filter { topic == nil || $0.queue.topic == topic }.map { held in
            ResetOffsetBody.Entry(
                queue: MessageQueueKey(held.queue), offset: QueueOffset(rawValue: held.commitOffset))
        }
        return ConsumerStatusBody(queues: queues.sorted { $0.queue < $1.queue })
    }

    // MARK: 309

    private func takeDirect(_ request: Frame, on connection: Connection) {
        guard direct.count < Self.directLimit else {
            return connection.reply(
                to: request.replyTo, .systemBusy, remark: "\(Self.directLimit) messages wait to be consumed already")
        }
        do {
            var body = request.body
            let brokerName = request.fields.string("brokerName") ?? ""
            var message = try ReceivedMessage(reading: &body, brokerName: brokerName)
            if let reason = message.unreadable {
                return connection.reply(
                    to: request.replyTo, .systemError, remark: "the message cannot be read: \(reason)")
            }
            message.restoreTopic()
            direct.append(
                DirectConsumption(message: message, request: request.replyTo, connection: connection.handle))
        } catch {
            connection.reply(to: request.replyTo, .systemError, remark: "the message cannot be read: \(error)")
        }
    }

    /// Consumes directly what tools ask for, one after the other, until the list is closed. Nobody's offset moves.
    func consumeDirectly() async {
        while let consumption = await direct.next() {
            let message = consumption.message
            let queue = MessageQueue(
                topic: message.topic, brokerName: message.brokerName, queueID: message.queueID)
            let began = time.now()
            let outcome = await handler([message], queue).first
            let result = ConsumeDirectlyResult(
                consumeResult: outcome == .consumed ? "CR_SUCCESS" : "CR_LATER",
                remark: outcome == .consumed ? nil : outcome.map { "\($0)" } ?? "no outcome",
                order: configuration.order == .orderly, spentTime: began.duration(to: time.now()).wholeMilliseconds)
            consumption.connection.onLoop { connection in
                connection.reply(to: consumption.request, .success, body: result.encode())
            }
        }
    }

    // MARK: 307

    private var runningInfo: ConsumerRunningInfo {
        let now = time.now()
        let queues = heldQueues().sorted { $0.queue < $1.queue }.map { held in
            let lock = locks.withLock { $0.lastLock(of: held.queue) }
            let isLocked = configuration.locksQueues && mayHandle(held.queue, now: now)
            return held.state.withLock { ($0.information(of: held.queue, lock: lock, isLocked: isLocked)) }
        }
        let topics = rates.withLock { $0.rates(now: now) }.mapValues { rates in
            ConsumerRunningInfo.TopicStatus(
                pullRT: rates.pullTime, pullTPS: rates.pulledPerSecond, consumeRT: rates.handlingTime,
                consumeOKTPS: rates.consumedPerSecond, consumeFailedTPS: rates.failedPerSecond,
                consumeFailedMessages: rates.failedMessages)
        }
        return ConsumerRunningInfo(
            queues: queues, properties: runningProperties, subscriptions: subscriptionData, topics: topics)
    }

    private var runningProperties: [String: String] {
        let servers = client.configuration.nameServers?.addresses ?? []
        return [
            "PROP_NAMESERVER_ADDR": servers.map { $0 + ";" }.joined(),
            "PROP_CONSUME_TYPE": ConsumerPresence.Kind.push.rawValue,
            "PROP_CLIENT_VERSION": ProtocolVersion.name,
            "PROP_THREADPOOL_CORE_SIZE": String(configuration.concurrency),
            "PROP_CONSUMEORDERLY": String(configuration.order == .orderly),
            "PROP_CONSUMER_START_TIMESTAMP": String(created.milliseconds),
            "consumerGroup": configuration.group,
            "messageModel": presence.model.rawValue,
            "consumeFromWhere": presence.start.rawValue,
            "consumeMessageBatchMaxSize": String(configuration.batchSize),
            "pullBatchSize": String(configuration.pullBatchSize),
            "pullThresholdForQueue": String(configuration.pullThresholdForQueue),
            "pullThresholdSizeForQueue": String(configuration.pullThresholdBytesForQueue >> 20),
            "consumeConcurrentlyMaxSpan": String(configuration.maximumSpan),
            "maxReconsumeTimes": String(configuration.maximumReconsumeTimes),
            "allocateMessageQueueStrategy": configuration.allocation.name,
        ]
    }

    /// Keeps the rates that tools ask for, until cancelled.
    func keepSampling() async {
        while (try? await time.sleep(for: RateTable.sampleInterval)) != nil {
            let now = time.now()
            rates.withLock { $0.sample(now: now) }
        }
    }
}

extension ProcessQueue {
    fileprivate func information(
        of queue: MessageQueue, lock: Timestamp?, isLocked: Bool
    ) -> ConsumerRunningInfo.QueueState {
        ConsumerRunningInfo.QueueState(
            queue: MessageQueueKey(queue), commitOffset: commitOffset, cachedCount: cachedCount,
            cachedBytes: cachedBytes, cachedOffsets: cachedOffsets, isLocked: isLocked, isDropped: ending != nil,
            lastLock: lock ?? .zero, lastPull: lastPull, lastConsumption: lastConsumption ?? .zero)
    }
}
