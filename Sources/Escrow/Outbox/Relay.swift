import GRDB
import Logging
import MQClient
import MQProtocol
import Synchronization

/// Brings what transactions published to the brokers, in commit order for each ordering key.
///
/// It reads the outbox behind the last row it knows, whenever a commit wrote there, and takes a row out after
/// its broker acknowledged it. A crash in between repeats the last ones; inboxes absorb that.
final class Relay: Sendable {
    private struct State {
        var lanes = RelayLanes()
        /// Until when this process is the one that relays; nil while another is.
        var leasedUntil: Timestamp?
        /// Something may stand behind the last row known.
        var mustRead = true
        /// Receipts whose messages have not been acknowledged yet.
        var waiting: [TransactionID: [CheckedContinuation<Void, any Error>]] = [:]
        var acknowledged: [OutboxRow] = []
        var isAcknowledging = false
        var isStopped = false
    }

    /// Rows on their way to a broker at most.
    static let inFlightLimit = 256
    /// How often the outbox is looked at for rows that another process wrote.
    private static let pollInterval = Duration.milliseconds(500)

    private let writer: Writer
    private let lease: Lease
    private let logger: Logger
    private let alarm = Alarm()
    private let state = Mutex(State())

    init(writer: Writer, lease: Lease, logger: Logger) {
        self.writer = writer
        self.lease = lease
        self.logger = logger
    }

    /// There may be something new in the outbox. From any thread.
    func wake() {
        state.withLock { $0.mustRead = true }
        alarm.ring()
    }

    /// Relays until the task is cancelled.
    func run(through courier: Courier) async {
        await withTaskGroup { tasks in
            tasks.addTask { await self.keepLease() }
            tasks.addTask { await self.poll() }
            tasks.addTask { await self.deliverAll(courier) }
            await tasks.waitForAll()
        }
        stop()
    }

    /// Returns when everything committed before is acknowledged, or after `limit`.
    func drain(atMost limit: Duration) async {
        let deadline = writer.time.now().advanced(by: limit)
        while writer.time.now() < deadline, !Task.isCancelled {
            wake()
            let rows = try? await writer.database.read { try OutboxTable.rows($0, after: 0, limit: 1) }
            if rows?.isEmpty ?? false { return }
            guard state.withLock({ $0.leasedUntil != nil }) else { return }
            guard (try? await writer.time.sleep(for: .milliseconds(20))) != nil else { return }
        }
    }

    // MARK: Lease

    private func keepLease() async {
        while !Task.isCancelled {
            let lease = lease
            do {
                // While the database cannot say, what is held runs out by itself.
                hold(until: try await writer.perform { db, context in try lease.take(db, now: context.now) })
            } catch {
                logger.warning("the lease of the outbox was not renewed", metadata: ["error": "\(error)"])
            }
            guard (try? await writer.time.sleep(for: Lease.renewal)) != nil else { break }
        }
        let lease = lease
        _ = try? await writer.perform { db, _ in try lease.release(db) }
    }

    /// - Parameter until: nil when another process relays.
    private func hold(until: Timestamp?) {
        let isNew = state.withLock { state in
            let isNew = until != nil && state.leasedUntil == nil
            // Rows known from an earlier lease may have been delivered by another process since.
            if isNew || until == nil { state.lanes.removeAll() }
            if isNew { state.mustRead = true }
            state.leasedUntil = until
            return isNew
        }
        if isNew { wake() }
    }

    private func poll() async {
        while (try? await writer.time.sleep(for: Self.pollInterval)) != nil {
            wake()
            startAcknowledging()
            await resolveAcknowledged()
        }
    }

    /// Another process may relay what this one has committed.
    private func resolveAcknowledged() async {
        let fences = state.withLock { Array($0.waiting.keys) }
        guard !fences.isEmpty else { return }
        let done = try? await writer.database.read { db in
            try fences.filter { try OutboxTable.count(db, of: $0) == 0 }
        }
        resolve(Set(done ?? []))
    }

    private func mayRelay(_ state: borrowing State, now: Timestamp) -> Bool {
        state.leasedUntil.map { now < $0 } ?? false
    }

    // MARK: Delivering

    private func deliverAll(_ courier: Courier) async {
        await withDiscardingTaskGroup { tasks in
            while !Task.isCancelled {
                await alarm.wait(until: nextLook(), by: writer.time)
                await readAhead()
                let now = writer.time.now()
                let rows = state.withLock { state -> [OutboxRow] in
                    guard mayRelay(state, now: now) else { return [] }
                    return state.lanes.take(limit: Self.inFlightLimit - state.lanes.inFlight, now: now)
                }
                for row in rows {
                    tasks.addTask { await self.deliver(row, courier) }
                }
            }
        }
    }

    private func nextLook() -> Timestamp {
        let now = writer.time.now()
        let retry = state.withLock { mayRelay($0, now: now) ? $0.lanes.nextRetry : nil }
        return retry ?? now.advanced(by: .seconds(60))
    }

    private func readAhead() async {
        let now = writer.time.now()
        let (mayRead, cursor, room) = state.withLock { state in
            let mayRead = mayRelay(state, now: now) && state.mustRead && state.lanes.room > 0
            if mayRead { state.mustRead = false }
            return (mayRead, state.lanes.cursor, state.lanes.room)
        }
        guard mayRead else { return }
        do {
            let rows = try await writer.database.read { try OutboxTable.rows($0, after: cursor, limit: room) }
            state.withLock { state in
                state.lanes.add(rows)
                if rows.count == room { state.mustRead = true }
            }
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("the outbox cannot be read", metadata: ["error": "\(error)"])
        }
    }

    private func deliver(_ row: OutboxRow, _ courier: Courier) async {
        switch await courier.deliver(row) {
        case .acknowledged:
            writer.steps.reached(.verdictAcknowledged)
            let more = state.withLock { state in
                state.lanes.delivered(row)
                return state.lanes.count > state.lanes.inFlight
            }
            state.withLock { $0.acknowledged.append(row) }
            startAcknowledging()
            if more { alarm.ring() }
        case .halfIsGone(let reason):
            await sendWhole(row, because: reason)
        case .refused(let error):
            await giveUp(row, because: error)
        case .failed(let error):
            let failures = state.withLock { $0.lanes.failed(row, now: writer.time.now()) }
            if failures == 1 || failures % 20 == 0 {
                logger.warning(
                    "a message waits in the outbox and is tried again",
                    metadata: [
                        "topic": "\(row.event.topic)", "key": "\(row.event.idempotencyKey)", "attempts": "\(failures)",
                        "error": "\(error)",
                    ])
            }
            wake()
        }
    }

    /// The database has committed, and the broker has lost the half or decided otherwise: the event goes as a whole
    /// message with the same idempotency key.
    private func sendWhole(_ row: OutboxRow, because reason: String) async {
        logger.error(
            "a committed half message is sent again as a whole message",
            metadata: ["topic": "\(row.event.topic)", "key": "\(row.event.idempotencyKey)", "reason": "\(reason)"])
        do {
            try await writer.perform { db, context in
                try OutboxTable.forgetHalf(db, row.sequence)
                context.count(.resentEvents)
            }
            var whole = row
            whole.half = nil
            let changed = whole
            state.withLock { $0.lanes.replace(changed) }
        } catch {
            state.withLock { _ = $0.lanes.failed(row, now: writer.time.now()) }
        }
        wake()
    }

    /// No retry helps: it becomes a dead letter, and its lane goes on.
    private func giveUp(_ row: OutboxRow, because error: MQClientError) async {
        logger.error(
            "a message cannot be sent and is a dead letter now",
            metadata: [
                "topic": "\(row.event.topic)", "key": "\(row.event.idempotencyKey)", "reason": "\(error)",
            ])
        do {
            try await writer.perform { db, context in
                try Undeliverable.giveUp(db, row, reason: "\(error)", context)
            }
            state.withLock { $0.lanes.delivered(row) }
        } catch {
            state.withLock { _ = $0.lanes.failed(row, now: writer.time.now()) }
        }
        wake()
    }

    // MARK: Acknowledgements

    /// Takes rows out in groups: while one group is being written, the next gathers.
    private func startAcknowledging() {
        let mustStart = state.withLock { state in
            guard !state.isAcknowledging, !state.acknowledged.isEmpty else { return false }
            state.isAcknowledging = true
            return true
        }
        if mustStart { writeAcknowledgements() }
    }

    private func writeAcknowledgements() {
        let rows = state.withLock { state in
            defer { state.acknowledged.removeAll() }
            return state.acknowledged
        }
        let fences = Set(rows.compactMap(\.fence))
        let piece = Piece(
            body: { db, context in
                for row in rows { try OutboxTable.delete(db, row.sequence) }
                for fence in fences { try Fence.acknowledge(db, fence, now: context.now) }
            },
            completion: { [self] result in
                state.withLock { $0.isAcknowledging = false }
                guard case .committed = result else {
                    // Kept in memory and taken out with the next poll: the broker has them.
                    state.withLock { $0.acknowledged.append(contentsOf: rows) }
                    return
                }
                resolve(fences)
                startAcknowledging()
            })
        writer.add([piece])
    }

    // MARK: Receipts

    /// Waits until every message of a transaction is visible to consumers.
    ///
    /// - Throws: ``EscrowError/Code/stopped`` when the service stops before.
    func awaitAcknowledgement(of fence: TransactionID) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isStopped = state.withLock { state in
                if !state.isStopped { state.waiting[fence, default: []].append(continuation) }
                return state.isStopped
            }
            if isStopped { return continuation.resume(throwing: Self.stopped) }
            // Acknowledged before it was asked for?
            writer.add([
                Piece(
                    body: { db, _ in
                        guard try OutboxTable.count(db, of: fence) > 0 else { return }
                        throw StillWaiting()
                    },
                    completion: { [self] result in if case .committed = result { resolve([fence]) } })
            ])
        }
    }

    private struct StillWaiting: Error {}

    private func resolve(_ fences: Set<TransactionID>) {
        let resumed = state.withLock { state in
            fences.flatMap { state.waiting.removeValue(forKey: $0) ?? [] }
        }
        for continuation in resumed { continuation.resume() }
    }

    private func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            defer { state.waiting.removeAll() }
            return state.waiting.values.flatMap(\.self)
        }
        for continuation in waiting { continuation.resume(throwing: Self.stopped) }
    }

    private static let stopped = EscrowError(
        .stopped, "The service stopped. The transaction is committed; its messages leave at the next start.")
}
