import Logging
import MQProtocol
import MQRemoting
import Synchronization

/// Offsets that the broker does not have, or has given to other messages: after a power loss, it has lost the end of a
/// queue.
extension PushConsumer {
    // MARK: Messages that others have taken the place of

    /// Whether the connection is the one on which the broker was found to have what was pulled before. Always without a
    /// horizon.
    func isTrusted(_ held: HeldQueue, at address: String) async throws(MQClientError) -> Bool {
        guard configuration.lostEndHorizon != nil else { return true }
        let connection = try await client.connection(to: address)
        return held.trusted.withLock { $0 == connection }
    }

    /// Looks, once for each connection, whether the last message that was pulled is still where it was. Where it is
    /// not, others may have its place and those before it: the group goes back.
    ///
    /// - Returns: false when the broker did not say where that is.
    func isEndKept(_ held: HeldQueue, at address: String) async throws(MQClientError) -> Bool {
        guard configuration.lostEndHorizon != nil else { return true }
        let connection = try await client.connection(to: address)
        guard held.trusted.withLock({ $0 != connection }) else { return true }
        let (last, next) = held.state.withLock { ($0.sightings.last, $0.nextFetch) }
        if let last {
            if try await isReplaced(last, in: held.queue) {
                let correction = OffsetCorrection(replacedAt: last.offset)
                // A queue that was given up meanwhile is not to store how far it was.
                guard await correct(held, asked: next, correction), !Task.isCancelled else { return false }
            }
        } else if let stored = try await storedOffset(of: held.queue), stored < next {
            // Nothing was seen yet. This broker takes offsets back at its start that lie behind its queues' ends.
            held.state.withLock { $0.correct(to: stored) }
        }
        held.trusted.withLock { $0 = connection }
        return true
    }

    /// Where the queue's broker is asked for offsets. Nil without a horizon, and when it is away.
    func offsetConnection(of queue: MessageQueue) async -> ConnectionHandle? {
        guard configuration.lostEndHorizon != nil,
            let address = try? await client.master(ofBroker: queue.brokerName, in: queue.topic)
        else { return nil }
        return try? await client.connection(to: address)
    }

    /// Whether another message is there now, or soon will be: the queue ends before it. What was deleted since tells
    /// nothing.
    private func isReplaced(
        _ seen: Sightings.Sighting, in queue: MessageQueue
    ) async throws(MQClientError) -> Bool {
        let there = try await client.pull(queue, from: seen.offset, maximumCount: 1, group: configuration.group)
        if let message = there.messages.first, message.queueOffset == seen.offset {
            return Sightings.Sighting(message) != seen
        }
        return there.maximumOffset <= seen.offset
    }

    // MARK: An offset outside the queue

    /// Goes on where the broker has messages, once everything pulled before is finished: its offsets must not mix with
    /// those of the messages that come now.
    ///
    /// - Returns: false when the broker did not say where that is.
    func correct(_ held: HeldQueue, asked: Int64, _ correction: OffsetCorrection) async -> Bool {
        while !held.state.withLock({ $0.isFinishedWithAll() }) {
            await held.pullable.wait()
            if Task.isCancelled { return true }
        }
        var offset = correction.offset
        if correction.isAfterLoss, let horizon = configuration.lostEndHorizon {
            guard let begin = await offsetBeforeLoss(held, horizon: horizon) else { return false }
            offset = min(begin, offset)
        }
        guard offset != asked else { return true }
        logger.warning(
            """
            Offset \(asked) of \(held.queue) is \(correction.reason.rawValue): \(configuration.group) goes on at \
            \(offset).
            """)
        held.state.withLock { $0.correct(to: offset) }
        tally.withLock { $0.offsetCorrections += 1 }
        await storeOffset(of: held)
        return true
    }

    /// How far the clock of a machine that lost its power may have been set back.
    private static let lossMargin = Duration.seconds(60)

    /// Behind the last message seen that is still there. When none is, where messages begin that were stored after the
    /// last one seen; what is older than the horizon is not read again, whether one was seen or, after a restart of
    /// this process, none.
    private func offsetBeforeLoss(_ held: HeldQueue, horizon: Duration) async -> Int64? {
        let queue = held.queue
        let (sightings, last) = held.state.withLock { ($0.sightings, $0.lastStored) }
        let earliest = time.now().advanced(by: .zero - horizon)
        let begin = max(last?.advanced(by: .zero - Self.lossMargin) ?? earliest, earliest)
        var offset: Int64?
        await client.attempt("search in \(queue) for \(configuration.group)") { () async throws(MQClientError) in
            let kept = try await sightings.lastTrue { seen async throws(MQClientError) in
                try await !isReplaced(seen, in: queue)
            }
            if let kept {
                offset = kept.offset + 1
            } else {
                offset = try await self.offset(of: queue, storedSince: begin)
            }
        }
        return offset
    }

    /// Brokers answer with the nearest message, which may be the last one before, of any age in a queue that was quiet
    /// for long.
    private func offset(of queue: MessageQueue, storedSince begin: Timestamp) async throws(MQClientError) -> Int64 {
        let nearest = try await client.offset(of: queue, at: begin)
        let found = try await client.pull(queue, from: nearest, maximumCount: 1, group: configuration.group)
        let isEarlier = found.messages.first.map { $0.queueOffset == nearest && $0.storeTimestamp < begin } ?? false
        return isEarlier ? nearest + 1 : nearest
    }
}
