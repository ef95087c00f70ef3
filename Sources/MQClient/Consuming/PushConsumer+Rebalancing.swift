import Logging
import MQProtocol
import MQRemoting
import Synchronization

/// Taking and giving up queues.
extension PushConsumer {
    /// Default: 20 s, as in RocketMQ's clients.
    private static let rebalanceInterval = Duration.seconds(20)

    /// How much of a round could be done.
    private enum Completeness {
        case complete
        /// Something waits for another member or a handler, who may be done any moment.
        case waits
        /// Something failed.
        case failed
    }

    /// Keeps the share of queues right until the consumer drains or is cancelled. Each queue is a task of `tasks`.
    ///
    /// - Returns: why the group's members were refused.
    func keepBalanced(_ tasks: inout DiscardingTaskGroup) async -> (any Error)? {
        var delay = Duration.zero
        while isRunning {
            var interval = Self.rebalanceInterval
            if !isSuspended {
                do {
                    switch try await rebalance(&tasks) {
                    case .complete: delay = .zero
                    case .waits: delay = min(max(delay * 2, .milliseconds(50)), .milliseconds(500))
                    case .failed: delay = min(max(delay * 2, .milliseconds(200)), .seconds(5))
                    }
                    if delay > .zero { interval = delay }
                } catch {
                    logger.error("Consumer \(configuration.group) refuses its members: \(error)")
                    return error
                }
            }
            guard isRunning else { break }
            await rebalanceAlarm.wait(until: time.now().advanced(by: interval), by: time)
        }
        return nil
    }

    private func rebalance(_ tasks: inout DiscardingTaskGroup) async throws -> Completeness {
        var result = Completeness.complete
        var isChanged = false
        for topic in subscriptions.keys.sorted() where isRunning {
            guard let share = try await share(of: topic) else {
                // A retry topic comes into being with the first heartbeat or message.
                if result == .complete { result = .failed }
                continue
            }
            let plan = RebalancePlan(held: statuses(of: topic), share: share)
            isChanged = isChanged || !plan.give.isEmpty || !plan.take.isEmpty
            for queue in plan.give { giveUp(queue) }
            let taken = await take(plan.take, &tasks)
            if taken == .waits || !plan.later.isEmpty { result = .waits }
            if taken == .failed, result == .complete { result = .failed }
        }
        if isChanged { announceChange() }
        return result
    }

    /// The queues of a topic that this consumer shall have; nil when that cannot be known now.
    ///
    /// - Throws: what ``ConsumerConfiguration/admitsMembers`` threw.
    private func share(of topic: String) async throws -> [MessageQueue]? {
        guard let route = await subscribedRoute(topic) else { return nil }
        let queues = route.subscribeQueues(topic: topic)
        guard configuration.model == .clustering else { return queues }
        let members = await members(route)
        if let members { try configuration.admitsMembers?(members) }
        guard let members, members.contains(client.configuration.clientID) else {
            // A broker that is new, or was restarted, knows nobody until it is told.
            client.wakeHeartbeat()
            return nil
        }
        return configuration.allocation.share(
            of: client.configuration.clientID, among: members, queues: queues)
    }

    /// An old one while no name server answers.
    private func subscribedRoute(_ topic: String) async -> TopicRoute? {
        let age = client.configuration.routeRefreshInterval
        let now = time.now()
        if let route = client.state.withLock({ $0.routes.fresh(topic, now: now, maximumAge: age) }) { return route }
        await client.attempt("route of \(topic)") { () async throws(MQClientError) in
            try await client.learnRoute(topic)
        }
        return client.state.withLock { $0.routes.known(topic) }
    }

    private func members(_ route: TopicRoute) async -> [String]? {
        var members: [String]?
        await client.attempt("list of the members of \(configuration.group)") { () async throws(MQClientError) in
            var failure: MQClientError?
            for address in route.brokers.compactMap(\.readable).shuffled() {
                do throws(MQClientError) {
                    let answer = try await client.successfulRequest(
                        to: address, .getConsumerListByGroup,
                        header: ConsumerGroupHeader(consumerGroup: configuration.group))
                    members = try ConsumerIDList.decode(answer.body, "list of members", from: address).consumerIDs
                    return
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
        return members
    }

    private func statuses(of topic: String) -> [MessageQueue: RebalancePlan.Status] {
        let now = time.now()
        let held = state.withLock { state in state.held.filter { $0.key.topic == topic } }
        return held.mapValues { held in
            held.state.withLock { queue in
                if queue.ending != nil { return .ending }
                return queue.isStalled(now: now, limit: PullTiming.stallTime) ? .stalled : .pulling
            }
        }
    }

    // MARK: Taking

    private func take(_ queues: [MessageQueue], _ tasks: inout DiscardingTaskGroup) async -> Completeness {
        var result = Completeness.complete
        var granted = queues
        if configuration.locksQueues {
            granted = await acquireLocks(queues)
            if granted.count < queues.count { result = .waits }
        }
        let limits = configuration.flowLimits(sharedByQueues: heldQueues().count + granted.count)
        for queue in granted {
            guard isRunning, let (offset, connection) = await startOffset(of: queue) else {
                if result == .complete { result = .failed }
                if configuration.locksQueues { await unlock([queue]) }
                continue
            }
            let held = HeldQueue(
                queue,
                ProcessQueue(from: offset, order: configuration.order, limits: limits, now: time.now()))
            held.trusted.withLock { $0 = connection }
            state.withLock { $0.held[queue] = held }
            logger.info("Taken: \(queue) of \(configuration.group), from offset \(offset)")
            tasks.addTask { await self.keep(held) }
        }
        shareFlowLimits()
        return result
    }

    /// And the connection on which the broker told it.
    private func startOffset(of queue: MessageQueue) async -> (offset: Int64, connection: ConnectionHandle?)? {
        var start: Int64?
        var connection: ConnectionHandle?
        await client.attempt("start offset of \(queue) for \(configuration.group)") { () async throws(MQClientError) in
            connection = try await offsetConnection(of: queue)
            let stored = try await storedOffset(of: queue)
            switch StartOffset(configuration.start, stored: stored, isRetry: queue.topic == retryTopic) {
            case .at(let offset): start = offset
            case .minimum: start = try await client.minimumOffset(of: queue)
            case .maximum: start = try await client.maximumOffset(of: queue)
            case .search(let time): start = try await client.offset(of: queue, at: time)
            }
        }
        return start.map { ($0, connection) }
    }

    // MARK: Giving up

    private func giveUp(_ queue: MessageQueue) {
        guard let held = state.withLock({ $0.held[queue] }) else { return }
        logger.info("Given up: \(queue) of \(configuration.group)")
        held.end(.released)
    }

    /// Pulls a queue until it is given up, and releases it when its handlers are done.
    private func keep(_ held: HeldQueue) async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.pull(held) }
            await held.ended.wait()
            tasks.cancelAll()
        }
        while !Task.isCancelled, !held.state.withLock({ $0.isReleasable }) { await held.idle.wait() }
        // A cancelled task can send nothing: what is left is released at the end.
        guard !Task.isCancelled else { return }
        if state.withLock({ $0.phase == .running }) {
            await release(held)
        } else {
            await client.takeLeave("Consumer \(configuration.group)") { await self.release(held) }
        }
        rebalanceAlarm.ring()
    }

    /// Stores the offset and lets another member, or this one, take the queue.
    func release(_ held: HeldQueue) async {
        await storeLastOffset(of: held)
        if configuration.locksQueues { await unlock([held.queue]) }
        offsets.withLock { $0.forget(held.queue) }
        state.withLock { $0.held[held.queue] = nil }
        shareFlowLimits()
    }

    func storeLastOffset(of held: HeldQueue) async {
        // After a lost lock somebody else may be further.
        if held.state.withLock({ $0.ending != .lockLost }) { await storeOffset(of: held) }
    }

    /// Limits that hold for all queues together are shared out again when a queue comes or goes.
    private func shareFlowLimits() {
        guard configuration.limitsQueuesTogether else { return }
        let all = heldQueues()
        let limits = configuration.flowLimits(sharedByQueues: all.count)
        for held in all { apply(held.state.withLock { $0.limit(to: limits) }, to: held) }
    }

    /// A broker compares the versions of a group's subscriptions to find out which is the newest.
    private func announceChange() {
        let now = time.now()
        state.withLock { $0.subscriptionVersion = max(now, $0.subscriptionVersion) }
        client.wakeHeartbeat()
    }
}
