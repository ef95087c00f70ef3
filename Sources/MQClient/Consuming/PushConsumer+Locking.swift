import Logging
import MQProtocol
import NIOCore
import Synchronization

/// The brokers' locks on the queues of an orderly consumer.
extension PushConsumer {
    private static let lockTimeout = Duration.seconds(1)

    /// Refreshes all locks every 20 s until cancelled, sooner after a failure.
    func keepLocks() async {
        var interval = LockTable.refreshInterval
        while (try? await time.sleep(for: interval)) != nil {
            interval = LockTable.refreshInterval
            for brokerName in Set(locks.withLock { $0.queues.map(\.brokerName) }) {
                if await !refreshLocks(at: brokerName) { interval = .seconds(1) }
            }
            let now = time.now()
            for queue in locks.withLock({ $0.expire(now: now) }) { lose(queue) }
        }
    }

    /// - Returns: false when the broker did not answer.
    private func refreshLocks(at brokerName: String) async -> Bool {
        let queues = locks.withLock { $0.queues.filter { $0.brokerName == brokerName } }
        let asked = time.now()
        guard let granted = await lock(queues, at: brokerName) else { return false }
        let (lost, stray) = locks.withLock { $0.refresh(queues, granted: Set(granted), at: asked) }
        for queue in lost { lose(queue) }
        if !stray.isEmpty { await unlock(stray) }
        return true
    }

    /// - Returns: those of the queues that are locked now.
    func acquireLocks(_ queues: [MessageQueue]) async -> [MessageQueue] {
        var all: [MessageQueue] = []
        for (brokerName, queues) in Dictionary(grouping: queues, by: \.brokerName) {
            let asked = time.now()
            let granted = await lock(queues, at: brokerName) ?? []
            locks.withLock { $0.acquire(granted, at: asked) }
            all += granted
        }
        return all.sorted()
    }

    /// - Returns: nil when the broker did not answer.
    private func lock(_ queues: [MessageQueue], at brokerName: String) async -> [MessageQueue]? {
        guard let topic = queues.first?.topic else { return [] }
        var granted: Set<MessageQueue>?
        await client.attempt("locks of \(configuration.group) at \(brokerName)") { () async throws(MQClientError) in
            let address = try await client.master(ofBroker: brokerName, in: topic)
            let answer = try await client.successfulRequest(
                to: address, .lockBatchMQ, body: lockBody(queues), timeout: Self.lockTimeout)
            let body = try LockBatchAnswer.decode(answer.body, "locks", from: address)
            granted = Set(body.queues.map { MessageQueue($0) })
        }
        return granted.map { granted in queues.filter(granted.contains) }
    }

    /// Whether the handler may have messages of the queue.
    func mayHandle(_ queue: MessageQueue, now: Timestamp) -> Bool {
        !configuration.locksQueues || locks.withLock { $0.isValid(queue, now: now) }
    }

    /// Another member may have the queue: it is taken anew, lock first.
    func lose(_ queue: MessageQueue) {
        guard let held = state.withLock({ $0.held[queue] }) else { return }
        logger.warning("The lock on \(queue) of \(configuration.group) is lost.")
        held.end(.lockLost)
    }

    /// Lets other members have the queues.
    func unlock(_ queues: [MessageQueue]) async {
        locks.withLock { table in
            for queue in queues { table.forget(queue) }
        }
        await withDiscardingTaskGroup { tasks in
            for (brokerName, queues) in Dictionary(grouping: queues, by: \.brokerName) {
                tasks.addTask { await self.unlock(queues, at: brokerName) }
            }
        }
    }

    private func unlock(_ queues: [MessageQueue], at brokerName: String) async {
        await client.attempt("unlocking at \(brokerName)") { () async throws(MQClientError) in
            let address = try await client.master(ofBroker: brokerName, in: queues[0].topic)
            try await client.successfulRequest(
                to: address, .unlockBatchMQ, body: lockBody(queues), timeout: Self.lockTimeout)
        }
    }

    private func lockBody(_ queues: [MessageQueue]) -> ByteBuffer {
        LockBatchBody(
            clientID: client.configuration.clientID, consumerGroup: configuration.group,
            queues: queues.map { MessageQueueKey($0) }
        ).encode()
    }
}
