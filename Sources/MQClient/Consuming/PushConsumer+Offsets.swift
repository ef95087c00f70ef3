import Logging
import MQProtocol
import Synchronization

/// Storing how far the group is.
extension PushConsumer {
    /// Default: 5 s, as in RocketMQ's clients.
    private static let offsetInterval = Duration.seconds(5)

    /// Stores what has changed every 5 s, until cancelled.
    func keepOffsets() async {
        while (try? await time.sleep(for: Self.offsetInterval)) != nil {
            // A queue that was given up stores its own, before anybody else may have it.
            await storeOffsets { $0.ending == nil }
        }
    }

    /// Stores the offsets of the held queues as far as they are not stored yet. What fails is logged, and stored next
    /// time.
    private func storeOffsets(where isIncluded: (borrowing ProcessQueue) -> Bool) async {
        if offsetFile != nil {
            return await storeInFile(
                heldQueues().filter { held in held.state.withLock { isIncluded($0) } })
        }
        // Looked at again right before each request: a queue may be given up meanwhile.
        for held in heldQueues() where held.state.withLock({ isIncluded($0) }) { await storeAtBroker(held) }
    }

    /// The same for one queue.
    func storeOffset(of held: HeldQueue) async {
        if offsetFile == nil { await storeAtBroker(held) } else { await storeInFile([held]) }
    }

    private func storeAtBroker(_ held: HeldQueue) async {
        let queue = held.queue
        guard !offsets.withLock({ $0.isStored(held.commitOffset, of: queue) }) else { return }
        await client.attempt("offset of \(queue) of \(configuration.group)") { () async throws(MQClientError) in
            guard let (offset, path) = try await storableOffset(of: held) else { return }
            try await client.setConsumerOffset(offset, of: queue, group: configuration.group, by: path)
            offsets.withLock { $0.confirm(offset, of: queue) }
        }
    }

    private func storeInFile(_ queues: [HeldQueue]) async {
        guard let offsetFile else { return }
        let changes = queues.map { ($0.queue, $0.commitOffset) }
            .filter { queue, offset in !offsets.withLock { $0.isStored(offset, of: queue) } }
        guard !changes.isEmpty else { return }
        await client.attempt("offsets of \(configuration.group)") { () async throws(MQClientError) in
            try await offsetFile.store(changes)
            offsets.withLock { table in
                for (queue, offset) in changes { table.confirm(offset, of: queue) }
            }
        }
    }

    /// Where the group goes on in a queue; nil when it has not been there.
    func storedOffset(of queue: MessageQueue) async throws(MQClientError) -> Int64? {
        if let offsetFile { return offsetFile.offset(of: queue) }
        return try await client.consumerOffset(of: queue, group: configuration.group)
    }
}
