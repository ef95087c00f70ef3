import Logging
import MQProtocol
import Synchronization

extension PushConsumer {
    /// After a failure to send a message back, in concurrent mode.
    private static let sendBackRetry = Duration.seconds(5)
    /// Of messages that a handler had for too long.
    private static let overdueLevel: Int32 = 3
    /// Overdue messages sent back of one queue in one sweep.
    private static let overdueLimit = 16

    /// Hands over one batch after the other until the list is closed.
    func work() async {
        while let held = await ready.next() {
            let now = time.now()
            guard mayHandle(held.queue, now: now) else {
                lose(held.queue)
                continue
            }
            let (batch, effects) = held.state.withLock { $0.take(atMost: configuration.batchSize, now: now) }
            apply(effects, to: held)
            guard let batch else { continue }
            let outcomes = await handle(batch.messages, of: held.queue)
            await settle(batch, outcomes, of: held, began: now)
        }
    }

    /// Calls the handler; messages that cannot be read are not for it, unless it wants them.
    private func handle(_ messages: [ReceivedMessage], of queue: MessageQueue) async -> [ConsumeOutcome] {
        guard !configuration.handsOverUnreadable, messages.contains(where: { $0.unreadable != nil }) else {
            return await handler(messages, queue)
        }
        let readable = messages.filter { $0.unreadable == nil }
        var rest = (readable.isEmpty ? [] : await handler(readable, queue))[...]
        var outcomes: [ConsumeOutcome] = []
        for message in messages {
            if let reason = message.unreadable {
                logger.error("Message \(message.messageID) of \(queue) cannot be read, it is a dead letter: \(reason)")
                outcomes.append(.deadLetter)
            } else if let outcome = rest.popFirst() {
                outcomes.append(outcome)
            } else {
                break
            }
        }
        return outcomes
    }

    /// Does what a change of a queue asks for.
    func apply(_ effects: ProcessQueue.Effects, to held: HeldQueue) {
        if effects.isReady { ready.append(held) }
        if effects.wakesPull { held.pullable.give() }
        if effects.isIdle { held.idle.give() }
        if let time = effects.wakeTime {
            wakeTimes.withLock { $0.add(held, at: time) }
            wakeAlarm.ring()
        }
    }

    /// Offers messages again whose pause is over, until cancelled.
    func keepWaking() async {
        while !Task.isCancelled {
            let now = time.now()
            let (due, next) = wakeTimes.withLock { ($0.takeDue(now: now), $0.next) }
            for held in due { apply(held.state.withLock { $0.wake(now: now) }, to: held) }
            await wakeAlarm.wait(until: next ?? now.advanced(by: .seconds(3600)), by: time)
        }
    }

    // MARK: Outcomes

    private func settle(
        _ batch: ProcessQueue.Batch, _ outcomes: [ConsumeOutcome], of held: HeldQueue, began: Timestamp
    ) async {
        let settlement = Settlement(
            attempts: batch.messages.map(\.reconsumeTimes), outcomes: outcomes, rules: configuration.rules)
        var verdicts: [ProcessQueue.Verdict] = []
        verdicts.reserveCapacity(batch.offsets.count)
        var counts = ConsumerStatistics()
        for (step, message) in zip(settlement.steps, batch.messages) {
            let verdict = await perform(step, on: message, of: held, &counts)
            verdicts.append(verdict)
            if verdict != .finished, configuration.order == .orderly { break }
        }
        if let pause = settlement.pause, verdicts.count == settlement.steps.count {
            let until = pause > .zero ? time.now().advanced(by: pause) : nil
            verdicts.append(.again(until: until, countsAttempt: until != nil))
            if until != nil { counts.suspended += 1 }
        }
        while verdicts.count < batch.offsets.count { verdicts.append(.again(until: nil, countsAttempt: false)) }
        let (isHeeded, effects) = held.state.withLock { ($0.heedsResults, $0.settle(batch, verdicts)) }
        apply(effects, to: held)
        guard isHeeded else { return }
        tally.withLock { $0.add(counts) }
        rates.withLock {
            $0.handled(
                held.queue.topic, consumed: counts.consumed, failed: batch.offsets.count - counts.consumed,
                after: began.duration(to: time.now()))
        }
    }

    private func perform(
        _ step: Settlement.Step, on message: ReceivedMessage, of held: HeldQueue, _ counts: inout ConsumerStatistics
    ) async -> ProcessQueue.Verdict {
        switch step {
        case .acknowledge:
            counts.consumed += 1
            return .finished
        case .discard:
            logger.warning("Message \(message.messageID) of \(held.queue) failed and is dropped: broadcasting.")
            counts.dropped += 1
            return .finished
        case .sendBack(let level):
            // The queue's new owner gets the message anyway.
            guard held.state.withLock({ $0.heedsResults }) else { return .finished }
            guard await sendBack(message, level: level) else {
                counts.suspended += 1
                let pause = configuration.order == .orderly ? configuration.suspendTime : Self.sendBackRetry
                return .again(until: time.now().advanced(by: pause), countsAttempt: true)
            }
            if level < 0 { counts.deadLetters += 1 } else { counts.retried += 1 }
            return .finished
        }
    }

    // MARK: Handlers that take too long

    /// Sends back what handlers have had for too long, until cancelled.
    func sweep() async {
        while (try? await time.sleep(for: configuration.consumeTimeout)) != nil {
            for held in heldQueues() {
                for _ in 0..<Self.overdueLimit {
                    guard await sweepHead(of: held) else { break }
                }
            }
        }
    }

    /// - Returns: false when the first message is not overdue.
    private func sweepHead(of held: HeldQueue) async -> Bool {
        let limit = time.now().advanced(by: .zero - configuration.consumeTimeout)
        guard let message = held.state.withLock({ $0.overdueHead(startedBefore: limit) }) else { return false }
        logger.warning(
            "Message \(message.messageID) of \(held.queue) was handled for over \(configuration.consumeTimeout).")
        if configuration.model == .clustering {
            guard await sendBack(message, level: Self.overdueLevel) else { return false }
            tally.withLock { $0.retried += 1 }
        } else {
            tally.withLock { $0.dropped += 1 }
        }
        apply(held.state.withLock { $0.abandonHead(offset: message.queueOffset) }, to: held)
        return true
    }
}

extension ConsumerStatistics {
    fileprivate mutating func add(_ other: ConsumerStatistics) {
        consumed += other.consumed
        retried += other.retried
        deadLetters += other.deadLetters
        suspended += other.suspended
        dropped += other.dropped
    }
}
