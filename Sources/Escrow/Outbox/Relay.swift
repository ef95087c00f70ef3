import GRDB
import Logging
import MQClient
import MQProtocol
import Synchronization

/// Brings what transactions published to the brokers, in commit order for each ordering key.
///
/// It reads the outbox behind the last row it knows, whenever a commit wrote there, and takes a row out after
/// its broker acknowledged it. A crash or a lost answer in between repeats the last ones; inboxes absorb that.
final class Relay: Sendable {
    private struct State {
        var lanes = RelayLanes()
        /// Until when this process is the one that relays; nil while another is.
        var leasedUntil: Timestamp?
        /// Something may stand behind the last row known.
        var mustRead = true
        /// Rows up to here were there before this process relayed: they may have left.
        var inherited: Int64 = 0
        /// Halves about whose copies a broker has asked, by row.
        var moved: [Int64: HalfMessage] = [:]
        var acknowledged: [OutboxRow] = []
        /// Rows that a broker has acknowledged.
        var arrivals = 0
        var isAcknowledging = false
    }

    /// Hands a row to its broker.
    typealias Deliver = @Sendable (OutboxRow) async -> Courier.Result

    /// How often the outbox is looked at for rows that another process wrote.
    private static let pollInterval = Duration.milliseconds(500)

    private let writer: Writer
    private let lease: Lease
    private let logger: Logger
    private let alarm = Alarm()
    private let receipts = Receipts()
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

    /// Takes what a transaction has published, without reading it back when nothing stands before it.
    func add(_ published: Published) {
        let now = writer.time.now()
        state.withLock { state in
            if case .rows(let rows) = published, mayRelay(state, now: now), state.lanes.offer(rows) { return }
            state.mustRead = true
        }
        alarm.ring()
    }

    /// A broker has asked about a copy of this row's half; see ``OutboxTable/moveHalf(_:of:to:)``.
    func moved(_ row: OutboxRow) {
        state.withLock { state in
            if state.leasedUntil != nil { state.moved[row.sequence] = row.half }
        }
    }

    /// Relays until the task is cancelled.
    func run(through deliver: @escaping Deliver) async {
        await withTaskGroup { tasks in
            tasks.addTask { await self.keepLease() }
            tasks.addTask { await self.poll() }
            tasks.addTask { await self.deliverAll(deliver) }
            await tasks.waitForAll()
        }
        receipts.stop()
    }

    /// How long a shutdown waits for a broker that takes nothing.
    private static let patience = Duration.seconds(2)

    /// Returns when everything committed before is acknowledged, after `limit`, or when nothing has arrived for 2 s: a
    /// broker that hangs is not waited for.
    func drain(atMost limit: Duration) async {
        let end = writer.time.now().advanced(by: limit)
        var arrivals = -1
        var latest = end
        var isSaid = false
        while !Task.isCancelled {
            wake()
            let rows = try? await writer.read { try OutboxTable.rows($0, after: 0, limit: 1) }
            if rows?.isEmpty ?? false { return }
            guard state.withLock({ $0.leasedUntil != nil }) else { return }
            let now = writer.time.now()
            let arrived = state.withLock { $0.arrivals }
            if arrived != arrivals { latest = min(end, now.advanced(by: Self.patience)) }
            arrivals = arrived
            guard now < latest else { return await sayWhatStays() }
            if !isSaid { logger.notice("stopping: messages of the outbox are on their way to their brokers") }
            isSaid = true
            guard (try? await writer.time.sleep(for: .milliseconds(20))) != nil else { return }
        }
    }

    private func sayWhatStays() async {
        let count = try? await writer.read { try OutboxTable.count($0) }
        logger.notice(
            "stopping: \(count ?? 0) messages stay in the outbox until the next start: no broker takes them now")
    }

    // MARK: Lease

    private func keepLease() async {
        while !Task.isCancelled {
            let lease = lease
            do {
                // While the database cannot say, what is held runs out by itself.
                let (held, last) = try await writer.perform { db, context in
                    (try lease.take(db, now: context.now), try OutboxTable.lastSequence(db))
                }
                hold(held, last: last)
            } catch {
                logger.warning("the lease of the outbox was not renewed", metadata: ["error": "\(error)"])
            }
            guard (try? await writer.time.sleep(for: Lease.renewal)) != nil else { break }
        }
        let lease = lease
        _ = try? await writer.perform { db, _ in try lease.release(db) }
    }

    /// - Parameters:
    ///   - held: nil when another process relays.
    ///   - last: sequence of the outbox.
    private func hold(_ held: Lease.Held?, last: Int64) {
        let isNew = state.withLock { state in
            let isNew = held.map { state.leasedUntil == nil || !$0.isContinued } ?? false
            // Rows known from an earlier lease may have been delivered by another process since.
            if isNew || held == nil {
                state.lanes.removeAll()
                state.moved.removeAll()
            }
            if isNew {
                state.mustRead = true
                state.inherited = last
            }
            state.leasedUntil = held?.until
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
        let fences = receipts.fences
        guard !fences.isEmpty else { return }
        let done = try? await writer.read { db in
            try fences.filter { try OutboxTable.count(db, of: $0) == 0 }
        }
        for fence in done ?? [] { look(for: fence) }
    }

    private func mayRelay(_ state: borrowing State, now: Timestamp) -> Bool {
        state.leasedUntil.map { now < $0 } ?? false
    }

    // MARK: Delivering

    private func deliverAll(_ deliver: @escaping Deliver) async {
        await withDiscardingTaskGroup { tasks in
            while !Task.isCancelled {
                await alarm.wait(until: nextLook(), by: writer.time)
                await readAhead()
                for row in take() {
                    tasks.addTask { await self.deliver(from: row, deliver) }
                }
            }
        }
    }

    private func nextLook() -> Timestamp {
        let now = writer.time.now()
        let retry = state.withLock { mayRelay($0, now: now) ? $0.lanes.nextRetry : nil }
        return retry ?? now.advanced(by: .seconds(60))
    }

    private func take(limit: Int = .max) -> [OutboxRow] {
        let now = writer.time.now()
        return state.withLock { state in
            guard mayRelay(state, now: now) else { return [] }
            return state.lanes.take(limit: limit, now: now).map { row in
                var row = row
                if row.half != nil, let half = state.moved[row.sequence] { row.half = half }
                if row.sequence <= state.inherited { row.isRepeated = true }
                return row
            }
        }
    }

    private func readAhead() async {
        let now = writer.time.now()
        let reading = state.withLock { state -> RelayLanes.Reading? in
            guard mayRelay(state, now: now), state.mustRead || state.lanes.wantsReading,
                let reading = state.lanes.beginReading()
            else { return nil }
            state.mustRead = false
            return reading
        }
        guard let reading else { return }
        do {
            let rows = try await writer.read {
                try OutboxTable.rows($0, after: reading.after, limit: reading.limit)
            }
            state.withLock { state in
                state.lanes.endReading(reading, rows)
                if rows.count == reading.limit { state.mustRead = true }
            }
            if rows.count == reading.limit { alarm.ring() }
        } catch {
            state.withLock { $0.lanes.endReading(reading, []) }
            guard !Task.isCancelled else { return }
            logger.warning("the outbox cannot be read", metadata: ["error": "\(error)"])
        }
    }

    /// Delivers a row, and then others as long as some may leave.
    private func deliver(from first: OutboxRow, _ deliver: Deliver) async {
        var next: OutboxRow? = first
        while let row = next {
            await self.deliver(row, deliver)
            next = take(limit: 1).first
        }
    }

    private func deliver(_ row: OutboxRow, _ deliver: Deliver) async {
        switch await deliver(row) {
        case .acknowledged:
            writer.steps.reached(.verdictAcknowledged)
            let mustRead = state.withLock { state in
                state.lanes.delivered(row)
                state.arrivals += 1
                state.moved[row.sequence] = nil
                state.acknowledged.append(row)
                return state.mustRead || state.lanes.wantsReading
            }
            startAcknowledging()
            if mustRead { alarm.ring() }
        case .halfIsGone(let reason):
            await sendWhole(row, because: reason)
        case .refused(let error):
            await giveUp(row, because: error)
        case .failed(let error):
            failed(row, error)
        }
    }

    private func failed(_ row: OutboxRow, _ error: MQClientError?) {
        let failures = state.withLock { $0.lanes.failed(row, now: writer.time.now()) }
        if let error, failures == 1 || failures % 20 == 0 {
            logger.warning(
                "a message waits in the outbox and is tried again",
                metadata: [
                    "topic": "\(row.event.topic)", "key": "\(row.event.idempotencyKey)", "attempts": "\(failures)",
                    "error": "\(error)",
                ])
        }
        alarm.ring()
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
            alarm.ring()
        } catch {
            failed(row, nil)
        }
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
            state.withLock { state in
                state.lanes.delivered(row)
                state.lanes.removed([row.sequence])
                state.moved[row.sequence] = nil
            }
            if let fence = row.fence, receipts.fences.contains(fence) { look(for: fence) }
        } catch {
            state.withLock { _ = $0.lanes.failed(row, now: writer.time.now()) }
        }
        wake()
    }

    // MARK: Acknowledgements

    /// How long acknowledged rows gather before they are taken out, so that transactions that follow each other do not
    /// wait for a commit of that between them. A crash meanwhile repeats what inboxes absorb.
    private static let gathering = Duration.milliseconds(2)

    /// Takes rows out in groups: while one group is being written, the next gathers.
    private func startAcknowledging() {
        let mustStart = state.withLock { state in
            guard !state.isAcknowledging, !state.acknowledged.isEmpty else { return false }
            state.isAcknowledging = true
            return true
        }
        guard mustStart else { return }
        guard receipts.fences.isEmpty else { return writeAcknowledgements() }
        // By the machine's time, whatever the service's clock does: nobody's deadline depends on it.
        Task {
            try? await TimeSource.system.sleep(for: Self.gathering)
            writeAcknowledgements()
        }
    }

    private func writeAcknowledgements() {
        let rows = state.withLock { state in
            defer { state.acknowledged.removeAll() }
            return state.acknowledged
        }
        let fences = Set(rows.compactMap(\.fence))
        let piece = Piece(
            body: { db, context in
                try OutboxTable.delete(db, rows.map(\.sequence))
                try Fence.acknowledge(db, Array(fences), now: context.now)
            },
            completion: { [self] result in
                state.withLock { $0.isAcknowledging = false }
                guard case .committed = result else {
                    // Kept in memory and taken out with the next poll: the broker has them.
                    state.withLock { $0.acknowledged.append(contentsOf: rows) }
                    return
                }
                writer.meters.count(.relayed, by: Int64(rows.count))
                state.withLock { state in
                    state.lanes.removed(rows.lazy.map(\.sequence))
                    // A broker may have asked about one of them meanwhile.
                    if !state.moved.isEmpty { for row in rows { state.moved[row.sequence] = nil } }
                }
                for fence in receipts.fences where fences.contains(fence) { look(for: fence) }
                startAcknowledging()
            })
        writer.add([piece])
    }

    // MARK: Receipts

    /// Waits until every message of a transaction is visible to consumers.
    ///
    /// - Throws: ``EscrowError/Code/undeliverable``; ``EscrowError/Code/stopped`` when the service stops before;
    ///   `CancellationError`.
    func awaitAcknowledgement(of fence: TransactionID) async throws {
        do {
            try await receipts.wait(for: fence) { look(for: fence) }
        } catch let error as EscrowError where error.code == .stopped {
            // Nobody looks any more; what had left by then has arrived all the same.
            guard try await writer.read({ try Self.hasLeft($0, fence) }) else { throw error }
        }
    }

    /// Whether nothing of the transaction is in the outbox.
    ///
    /// - Throws: ``EscrowError/Code/undeliverable`` when some of it was given up.
    private static func hasLeft(_ db: Database, _ fence: TransactionID) throws -> Bool {
        guard try OutboxTable.count(db, of: fence) == 0 else { return false }
        if let reason = try Undeliverable.reason(db, of: fence) { throw Undeliverable.error(reason) }
        return true
    }

    private func look(for fence: TransactionID) {
        writer.add([
            Piece(
                body: { db, _ in
                    guard try Self.hasLeft(db, fence) else { throw StillWaiting() }
                },
                completion: { [self] result in
                    switch result {
                    case .committed: receipts.resolve([fence])
                    case .failed(let error as EscrowError): receipts.fail(fence, error)
                    case .failed, .refused, .inDoubt: break
                    }
                })
        ])
    }

    private struct StillWaiting: Error {}
}
