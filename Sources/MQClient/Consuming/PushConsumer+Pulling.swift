import Logging
import MQProtocol
import Synchronization

/// Times of RocketMQ's pull loop.
enum PullTiming {
    /// How long a broker may hold a pull while there is nothing to give.
    static let hold = Duration.seconds(15)
    /// How long an answer is waited for.
    static let timeout = Duration.seconds(30)
    static let afterFailure = Duration.seconds(1)
    /// After answer 215, flow control.
    static let afterFlowControl = Duration.milliseconds(20)
    /// After an answer that leads nowhere: the queue would be asked the same again at once.
    static let withoutProgress = Duration.milliseconds(20)
    /// A queue that was not pulled for so long is given up and taken anew.
    static let stallTime = Duration.seconds(120)
}

extension PushConsumer {
    /// Pulls until cancelled, as long as the flow limits allow; the handlers work meanwhile.
    func pull(_ held: HeldQueue) async {
        var brokerID: Int64 = 0
        var isFailing = false
        while !Task.isCancelled {
            let (isSuspended, now) = (isSuspended, time.now())
            guard held.state.withLock({ $0.mayPull(isSuspended: isSuspended, now: now) }) else {
                await held.pullable.wait()
                continue
            }
            var pause: Duration?
            do throws(MQClientError) {
                pause = try await pullOnce(held, from: &brokerID)
                if isFailing { client.note(worked: "pulls of \(held.queue)") }
                isFailing = false
            } catch {
                isFailing = true
                pause = pauseAfter(error, of: held.queue)
                brokerID = 0
            }
            if let pause { try? await time.sleep(for: pause) }
        }
    }

    /// - Parameter brokerID: which of the broker's addresses is asked; changed to the one the broker suggests.
    /// - Returns: how long to wait before the next pull.
    private func pullOnce(_ held: HeldQueue, from brokerID: inout Int64) async throws(MQClientError) -> Duration? {
        let target = try await pullTarget(held.queue, brokerID: brokerID)
        guard let path = try await pullPath(held, to: target.address, isMaster: target.isMaster) else {
            return PullTiming.afterFailure
        }
        let (offset, commit) = held.state.withLock { ($0.nextFetch, $0.commitOffset) }
        let header = pullHeader(held.queue, offset: offset, commit: commit, isMaster: target.isMaster)
        let began = time.now()
        let answer = try await client.request(by: path, .pullMessage, header: header, timeout: PullTiming.timeout)
        if header.flags.contains(.commitOffset), answer.responseCode == .success {
            offsets.withLock { $0.confirm(commit, of: held.queue) }
        }
        // Before all else: a slave that is behind has nothing but the advice to ask the master.
        brokerID = answer.fields.int64("suggestWhichBrokerId") ?? 0
        let next = answer.fields.int64("nextBeginOffset") ?? offset
        switch answer.responseCode {
        case .success:
            try take(answer, of: held, next: next, from: target.address, began: began)
        case .pullNotFound:
            apply(held.state.withLock { $0.add([], next: next, now: time.now()) }, to: held)
        case .pullRetryImmediately:
            apply(held.state.withLock { $0.add([], next: next, now: time.now()) }, to: held)
            if next <= offset { return PullTiming.withoutProgress }
        case .pullOffsetMoved:
            let correction = OffsetCorrection(
                asked: offset, minimum: answer.fields.int64("minOffset") ?? -1,
                maximum: answer.fields.int64("maxOffset") ?? -1, suggested: next)
            let isCorrected = await correct(held, asked: offset, correction, by: path)
            return isCorrected ? PullTiming.withoutProgress : PullTiming.afterFailure
        default:
            throw MQClientError(refusal: answer, address: target.address)
        }
        return nil
    }

    private func pullHeader(
        _ queue: MessageQueue, offset: Int64, commit: Int64, isMaster: Bool
    ) -> PullMessageHeader {
        var flags: PullFlags = [.suspend]
        // Slaves keep no offsets.
        if configuration.model == .clustering, isMaster, commit > 0 { flags.insert(.commitOffset) }
        return PullMessageHeader(
            consumerGroup: configuration.group,
            topic: queue.topic,
            queueID: queue.queueID,
            queueOffset: QueueOffset(rawValue: offset),
            maximumMessages: Int32(clamping: configuration.pullBatchSize),
            flags: flags,
            commitOffset: QueueOffset(rawValue: flags.contains(.commitOffset) ? commit : 0),
            suspendMilliseconds: PullTiming.hold.wholeMilliseconds,
            subscriptionVersion: created.milliseconds,
            brokerName: queue.brokerName)
    }

    private func take(
        _ answer: Frame, of held: HeldQueue, next: Int64, from address: String, began: Timestamp
    ) throws(MQClientError) {
        var messages = try ReceivedMessage.list(answer.body, brokerName: held.queue.brokerName, address: address)
        if let tags = tags[held.queue.topic] {
            messages.removeAll { !tags.admits($0.tag) }
        } else {
            for index in messages.indices { messages[index].restoreTopic() }
        }
        messages.setQueueRange(from: answer)
        let count = messages.count
        let now = time.now()
        apply(held.state.withLock { $0.add(messages, next: next, now: now) }, to: held)
        tally.withLock { $0.pulled += count }
        rates.withLock { $0.pulled(held.queue.topic, messages: count, after: began.duration(to: now)) }
    }

    private func pauseAfter(_ error: MQClientError, of queue: MessageQueue) -> Duration {
        switch error.responseCode.map({ ResponseCode(rawValue: $0) }) {
        case .flowControl: return PullTiming.afterFlowControl
        case .subscriptionNotExist, .subscriptionNotLatest, .subscriptionGroupNotExist:
            // A broker that was restarted knows nobody until it is told.
            client.wakeHeartbeat()
        default: break
        }
        client.note(error, failed: "pulls of \(queue)")
        return PullTiming.afterFailure
    }

    // MARK: Whom to ask

    private func pullTarget(
        _ queue: MessageQueue, brokerID: Int64
    ) async throws(MQClientError) -> (address: String, isMaster: Bool) {
        if let target = client.state.withLock({ $0.routes.broker(named: queue.brokerName) })?.pullTarget(brokerID) {
            return target
        }
        if let target = try await client.refreshRoute(queue.topic).broker(named: queue.brokerName)?.pullTarget(brokerID)
        {
            return target
        }
        throw MQClientError(
            .brokerUnknown,
            "Broker \(queue.brokerName) has no address in the route of \(queue.topic): see mqadmin topicRoute."
        )
    }
}

extension TopicRoute.Broker {
    /// The address with that id; for a slave that is away the next one; else any.
    func pullTarget(_ id: Int64) -> (address: String, isMaster: Bool)? {
        if let address = addresses[id] { return (address, id == 0) }
        if id > 0, id < .max, let address = addresses[id + 1] { return (address, false) }
        return addresses.min { $0.key < $1.key }.map { ($0.value, $0.key == 0) }
    }
}

extension ReceivedMessage {
    /// A message from a retry topic gets the topic back that it was sent to.
    mutating func restoreTopic() {
        if let original = properties[PropertyName.retryTopic] { topic = original }
    }
}
