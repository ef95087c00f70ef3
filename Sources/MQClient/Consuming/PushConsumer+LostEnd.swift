import Logging
import MQProtocol
import MQRemoting
import Synchronization

/// Offsets that the broker does not have, or has given to other messages: after a power loss, it has lost the end of a
/// queue.
extension PushConsumer {
    // MARK: Messages that others have taken the place of

    /// Looks, once for each connection to a master, whether the last message that was pulled is still where it was.
    /// Where it is not, others may have its place and those before it: the group goes back.
    ///
    /// - Returns: how the next pull is to reach the broker; nil when it did not say where to go back to.
    func pullPath(_ held: HeldQueue, to address: String, isMaster: Bool) async throws(MQClientError) -> RequestPath? {
        // What a slave lacks, it may not have yet.
        guard configuration.lostEndHorizon != nil, isMaster else { return .address(address) }
        let connection = try await client.connection(to: address)
        let path = RequestPath.connection(connection, address: address)
        guard held.trusted.withLock({ $0 != connection }) else { return path }
        let (last, next) = held.state.withLock { ($0.sightings.last, $0.nextFetch) }
        if let last {
            if try await isReplaced(last, in: held.queue, by: path) {
                let correction = OffsetCorrection(replacedAt: last.offset)
                // A queue that was given up meanwhile is not to store how far it was.
                guard await correct(held, asked: next, correction, by: path), !Task.isCancelled else { return nil }
            } else {
                held.state.withLock { $0.lookAgainBehindLastSeen() }
            }
        } else if let stored = try await storedOffset(of: held.queue), stored < next {
            // Nothing was seen yet. This broker takes offsets back at its start that lie behind its queues' ends.
            logger.warning("\(configuration.group) goes back from \(next) to \(stored) in \(held.queue), as stored")
            held.state.withLock { $0.correct(to: stored) }
        }
        held.trusted.withLock { $0 = connection }
        return path
    }

    /// How far the group is that may be told to the broker, and how. Nil when nothing may: a broker that lost the end
    /// of the queue must not be told of an offset in what others take the place of.
    func storableOffset(of held: HeldQueue) async throws(MQClientError) -> (offset: Int64, path: RequestPath)? {
        let queue = held.queue
        let address = try await client.master(ofBroker: queue.brokerName, in: queue.topic)
        let (offset, sightings, isReset) = held.state.withLock { ($0.commitOffset, $0.sightings, $0.isReset) }
        guard configuration.lostEndHorizon != nil, !isReset else { return (offset, .address(address)) }
        let connection = try await client.connection(to: address)
        let path = RequestPath.connection(connection, address: address)
        if held.trusted.withLock({ $0 == connection }) { return (offset, path) }
        let kept = try await lastKept(sightings, in: queue, by: path)
        return kept.map { (min(offset, $0.offset + 1), path) }
    }

    /// Where the queue's broker is asked for offsets. Nil without a horizon.
    func offsetConnection(of queue: MessageQueue) async throws(MQClientError) -> ConnectionHandle? {
        guard configuration.lostEndHorizon != nil else { return nil }
        return try await client.connection(to: try await client.master(ofBroker: queue.brokerName, in: queue.topic))
    }

    /// The last message seen that is still in its place.
    private func lastKept(
        _ sightings: Sightings, in queue: MessageQueue, by path: RequestPath
    ) async throws(MQClientError) -> Sightings.Sighting? {
        try await sightings.lastTrue { seen async throws(MQClientError) in
            try await !isReplaced(seen, in: queue, by: path)
        }
    }

    /// Whether another message is there now, or soon will be: the queue ends before it. What was deleted since tells
    /// nothing.
    private func isReplaced(
        _ seen: Sightings.Sighting, in queue: MessageQueue, by path: RequestPath
    ) async throws(MQClientError) -> Bool {
        let there = try await client.pull(
            queue, from: seen.offset, maximumCount: 1, group: configuration.group, by: path)
        if let message = there.messages.first, message.queueOffset == seen.offset {
            return Sightings.Sighting(message) != seen
        }
        return there.maximumOffset <= seen.offset
    }

    // MARK: An offset outside the queue

    /// Goes on where the broker has messages, once everything pulled before is finished: its offsets must not mix with
    /// those of the messages that come now.
    ///
    /// - Parameter path: how the broker was reached that said so.
    /// - Returns: false when the broker did not say where that is.
    func correct(
        _ held: HeldQueue, asked: Int64, _ correction: OffsetCorrection, by path: RequestPath
    ) async -> Bool {
        while !held.state.withLock({ $0.isFinishedWithAll() }) {
            await held.pullable.wait()
            if Task.isCancelled { return true }
        }
        var offset = correction.offset
        if correction.isAfterLoss, let horizon = configuration.lostEndHorizon {
            guard let begin = await offsetBeforeLoss(held, horizon: horizon, by: path) else { return false }
            offset = min(begin, offset)
        }
        guard offset != asked else { return true }
        logger.warning(
            """
            Offset \(asked) of \(held.queue) is \(correction.reason.rawValue): \(configuration.group) goes on at \
            \(offset).
            """)
        held.state.withLock { $0.correct(to: offset) }
        if case .connection(let connection, _) = path { held.trusted.withLock { $0 = connection } }
        tally.withLock { $0.offsetCorrections += 1 }
        await storeOffset(of: held)
        return true
    }

    /// How far the clock of a machine that lost its power may have been set back.
    private static let lossMargin = Duration.seconds(60)

    /// Behind the last message seen that is still there. When none is, where messages begin that were stored after the
    /// last one seen, and no further on than the first one seen and the group's offset, which this broker takes back to
    /// the end at its start: a clock that was ahead makes times useless. What is older than the horizon is not searched
    /// for in either case, nor when none was seen, after a restart of this process.
    private func offsetBeforeLoss(_ held: HeldQueue, horizon: Duration, by path: RequestPath) async -> Int64? {
        let queue = held.queue
        let (sightings, last) = held.state.withLock { ($0.sightings, $0.lastStored) }
        let earliest = time.now().advanced(by: .zero - horizon)
        let begin = max(last?.advanced(by: .zero - Self.lossMargin) ?? earliest, earliest)
        var offset: Int64?
        await client.attempt("search in \(queue) for \(configuration.group)") { () async throws(MQClientError) in
            guard let kept = try await lastKept(sightings, in: queue, by: path) else {
                let later = try await self.offset(of: queue, storedSince: begin)
                let seen = sightings.all.first?.offset ?? later
                let stored = try await storedOffset(of: queue) ?? later
                return offset = min(later, seen, max(stored, 0))
            }
            offset = kept.offset + 1
            guard kept.stored < earliest else { return }
            offset = max(kept.offset + 1, try await self.offset(of: queue, storedSince: earliest))
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
