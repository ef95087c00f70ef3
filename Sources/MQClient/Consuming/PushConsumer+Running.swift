import Logging
import MQProtocol
import ServiceLifecycle
import Synchronization

extension PushConsumer {
    /// Consumes until the service group shuts down gracefully or the task is cancelled.
    ///
    /// A graceful shutdown drains: nothing is pulled or handed over any more, running handlers have
    /// ``ConsumerConfiguration/drainTimeout`` to finish. A cancellation cancels them. Either way their results count,
    /// the offsets are stored, locks are released, and the group's other members take over at once. A broker that does
    /// not answer is given 2 s for that.
    ///
    /// Handlers run in this task's children: it ends only when all of them have returned.
    ///
    /// - Throws: ``MQClientError/Code/groupInUse`` when the client has a consumer of the group already, and what
    ///   ``ConsumerConfiguration/admitsMembers`` threw.
    public func run() async throws {
        try begin()
        let refusal = await withGracefulShutdownHandler {
            await consume()
        } onGracefulShutdown: {
            self.drain()
        }
        await client.takeLeave("Consumer \(configuration.group)") { await self.takeLeave() }
        if let refusal { throw refusal }
    }

    private func begin() throws(MQClientError) {
        try state.withLock { state throws(MQClientError) in
            guard state.phase == .created else {
                throw MQClientError(.closed, "A consumer runs once: make a new one of group \(configuration.group).")
            }
            state.phase = .running
        }
        try client.register(consumer: presence)
    }

    private func consume() async -> (any Error)? {
        await client.announce()
        return await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.keepOffsets() }
            tasks.addTask { await self.keepWaking() }
            tasks.addTask { await self.consumeDirectly() }
            tasks.addTask { await self.keepSampling() }
            if configuration.locksQueues { tasks.addTask { await self.keepLocks() } }
            if configuration.order == .concurrent { tasks.addTask { await self.sweep() } }
            for _ in 0..<configuration.concurrency { tasks.addTask { await self.work() } }
            let refusal = await keepBalanced(&tasks)
            await drainQueues()
            tasks.cancelAll()
            return refusal
        }
    }

    private func drain() {
        state.withLock { state in
            if state.phase == .running { state.phase = .draining }
        }
        rebalanceAlarm.ring()
    }

    /// Gives up every queue and waits until no handler has a message any more, for the drain timeout at most.
    private func drainQueues() async {
        state.withLock { $0.phase = .draining }
        ready.close()
        direct.close()
        for held in heldQueues() { held.end(.drained) }
        let deadline = time.now().advanced(by: configuration.drainTimeout)
        sayWhatRuns()
        while !heldQueues().isEmpty, !Task.isCancelled, time.now() < deadline {
            // Rung by each queue that is released.
            await rebalanceAlarm.wait(until: deadline, by: time)
        }
    }

    private func sayWhatRuns() {
        let waiting = heldQueues().filter { held in !held.state.withLock { $0.isReleasable } }
        guard !waiting.isEmpty, !Task.isCancelled else { return }
        let limit = configuration.drainTimeout.components.seconds
        logger.notice(
            "Consumer \(configuration.group) stops: handlers of \(waiting.count) queues have \(limit) s to finish")
    }

    /// Releases what is left, all at once: a broker that hangs costs one timeout, not one for each queue. Tells the
    /// brokers that the group has a member less.
    private func takeLeave() async {
        state.withLock { $0.phase = .ended }
        await withDiscardingTaskGroup { tasks in
            for held in heldQueues() { tasks.addTask { await self.storeLastOffset(of: held) } }
        }
        if configuration.locksQueues { await unlock(locks.withLock { $0.queues }) }
        state.withLock { $0.held = [:] }
        client.unregister(consumer: configuration.group)
        await client.withdraw()
    }

    var presence: ConsumerPresence {
        ConsumerPresence(
            group: configuration.group,
            model: configuration.model == .clustering ? .clustering : .broadcasting,
            start: configuration.start.presence,
            subscriptions: { [weak self] in self?.subscriptionData ?? [] },
            onRequest: { [weak self] in self?.take($0, on: $1) })
    }

    var subscriptionData: [SubscriptionData] {
        let version = state.withLock { $0.subscriptionVersion.milliseconds }
        return subscriptions.sorted { $0.key < $1.key }.map { topic, expression in
            SubscriptionData(topic: topic, subString: expression, subVersion: version)
        }
    }

    /// With the retry topic, which every clustering group reads.
    var subscriptions: [String: String] {
        var all = configuration.subscriptions
        if configuration.model == .clustering { all[retryTopic] = "*" }
        return all
    }

    var retryTopic: String { TopicName.retry(group: configuration.group) }
}

extension ConsumeStart {
    fileprivate var presence: ConsumerPresence.Start {
        switch self {
        case .lastOffset: .last
        case .firstOffset: .first
        case .timestamp: .timestamp
        }
    }
}
