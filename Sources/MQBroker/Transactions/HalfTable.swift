import DequeModule
import HeapModule
package import MQProtocol

/// Every undecided half message, and the verdicts of the ones decided lately.
///
/// A pure state machine: it is told what happened and answers what follows from it; `TransactionService` stores records
/// and sends checks. A transaction goes
///
///     undecided ── decide ──▶ deciding ── stored ──▶ decided (final)
///         ▲                      │
///         └────── notStored ─────┘
///
/// Undecided halves are never dropped. Of the decided ones the latest are remembered; for the others the caller reads
/// the verdict from the log.
package struct HalfTable: Sendable {
    /// How many places of decided halves are kept, to recognise a repeated or an opposite verdict without reading the
    /// log.
    package static let decidedLimit = 100_000
    /// The same for their keys, for copies that arrive late.
    static let decidedKeyLimit = 10_000
    /// Threads look at the clock before they wait for the table: their times may come out of order. A clock that goes
    /// back by less than this puts no check off by more.
    private static let clockTolerance = Duration.seconds(1)

    package struct Transaction: Sendable {
        let key: Key
        package var half: HalfMessage
        package var checks: Int
        package var nextCheck: Timestamp
        /// How long after it was set the next check is due: however the clock is set, it is not further away.
        var pause: Duration
        /// The op queue's end when the half arrived: its op record, if any, is at or behind it.
        package var opFloor: QueueOffset
        /// All checks were used; a person decides. Listed, still open to a late verdict.
        package var isUnresolved: Bool
        var deciding: Verdict?
        /// The log was read: no copy of it was decided before.
        var isProven = false
        /// A copy to the end of the log is being stored: a verdict that comes meanwhile is to be repeated.
        var isMoving = false
        /// Places of older copies: a verdict may still name one of them.
        var olderCopies: [LogOffset] = []
        /// When the last of its copies was sent, by the producer's clock.
        var lastSent: Timestamp

        init(key: Key, half: HalfMessage, firstCheck: Timestamp, pause: Duration, opFloor: QueueOffset) {
            self.key = key
            self.half = half
            self.opFloor = opFloor
            self.pause = pause
            checks = half.earlierChecks
            nextCheck = firstCheck
            isUnresolved = false
            lastSent = half.sent
        }

        /// Every place by which a verdict may name it.
        var places: [LogOffset] {
            olderCopies + [half.logOffset] + (half.firstCopy.map { [$0] } ?? [])
        }

        mutating func rest(_ pause: Duration, from now: Timestamp) {
            self.pause = pause
            nextCheck = now.advanced(by: pause)
        }

        /// Takes the verdict unless something speaks against it.
        fileprivate mutating func decide(
            _ verdict: Verdict, at place: LogOffset, queueOffset: QueueOffset, group: String
        ) -> Decision {
            guard half.group == group else { return .wrongGroup }
            if half.logOffset == place, half.queueOffset != queueOffset { return .wrongQueueOffset }
            if isMoving || deciding != nil { return .beingStored }
            deciding = verdict
            return .store(half)
        }

        /// Takes note of another copy of the half; the one stored last is the half from now on.
        mutating func add(_ copy: HalfMessage, opFloor floor: QueueOffset) {
            half.sent = min(half.sent, copy.sent)
            lastSent = max(lastSent, copy.sent)
            guard copy.logOffset > half.logOffset else {
                if copy.logOffset < half.logOffset { olderCopies.append(copy.logOffset) }
                return
            }
            olderCopies.append(half.logOffset)
            half.logOffset = copy.logOffset
            half.queueOffset = copy.queueOffset
            half.size = copy.size
            half.firstCopy = copy.firstCopy
            opFloor = floor
        }
    }

    /// The answer to a verdict.
    package enum Decision: Sendable, Equatable {
        /// First verdict: store it, then call ``stored(_:)`` or ``notStored(_:)``.
        case store(HalfMessage)
        /// The same verdict is final already.
        case repeated
        /// The other verdict is final already.
        case opposite(of: Verdict)
        /// A verdict, this or the other, is being stored by another request, or the half is: nothing is final before.
        case beingStored
        case wrongGroup
        case wrongQueueOffset
        /// Neither undecided nor remembered: the log may know (``TransactionService/history(of:)``).
        case unknown
    }

    /// Identifies a transaction however often its half was copied. A half without a unique key is known by the place of
    /// its first copy.
    ///
    /// The texts are hashed once, for the several tables that each transaction goes through.
    struct Key: Hashable, Sendable {
        let group: String
        let uniqueKey: String
        private let textHash: Int

        init(group: String, uniqueKey: String) {
            self.group = group
            self.uniqueKey = uniqueKey
            var hasher = Hasher()
            hasher.combine(group)
            hasher.combine(uniqueKey)
            textHash = hasher.finalize()
        }

        init(_ half: HalfMessage) {
            let place = half.uniqueKey.isEmpty ? half.firstCopy ?? half.logOffset : nil
            self.init(group: half.group, uniqueKey: place.map { "@\($0.rawValue)" } ?? half.uniqueKey)
        }

        static func == (left: Key, right: Key) -> Bool {
            left.textHash == right.textHash && left.uniqueKey == right.uniqueKey && left.group == right.group
        }

        func hash(into hasher: inout Hasher) { hasher.combine(textHash) }
    }

    private struct Decided: Sendable {
        var verdict: Verdict
        /// When the last of its copies was sent, by the producer's clock.
        var lastSent: Timestamp
    }

    private struct Undecided: Sendable {
        var slot: Slot
        /// Of the transaction before, whose key the producer used again.
        var earlier: Decided?
    }

    private struct Due: Comparable, Sendable {
        var at: Timestamp
        var slot: Slot
        static func < (a: Due, b: Due) -> Bool { a.at < b.at }
        static func == (a: Due, b: Due) -> Bool { a.at == b.at }
    }

    private typealias Slot = Slots<Transaction>.Index

    private var undecided = Slots<Transaction>()
    /// By the places of its copies, any of which a verdict may name.
    private var places = SettledTable<LogOffset, Slot, Verdict>(limit: decidedLimit)
    /// By what its copies have in common: one that is late finds here what became of the others.
    private var keys = SettledTable<Key, Undecided, Decided>(limit: decidedKeyLimit)
    /// First checks in the order in which they are due, which is nearly that of arrival: most are decided long before.
    private var firstDue = Deque<Due>()
    /// All other checks.
    private var due = Heap<Due>()
    /// The latest time that was told, since the clock was last found set back.
    private var latest = Timestamp(milliseconds: .min)
    /// Every half that is before this place of the half queue has arrived.
    private(set) var arrivedEnd = QueueOffset.zero
    /// Places behind it of those that arrived before one that event loops are slower with.
    private var arrivedAhead: Set<QueueOffset> = []
    package private(set) var unresolvedCount = 0
    package private(set) var refusedOpposites = 0

    package init() {}

    package var undecidedCount: Int { undecided.count }

    package var all: [Transaction] { Array(undecided.values) }

    private func slot(_ place: LogOffset) -> Slot? {
        if case .open(let slot)? = places[place] { slot } else { nil }
    }

    private func slot(_ key: Key) -> Slot? {
        if case .open(let open)? = keys[key] { open.slot } else { nil }
    }

    private func transaction(_ half: HalfMessage) -> Transaction? { slot(Key(half)).flatMap { undecided[$0] } }

    private mutating func update(_ half: HalfMessage, _ change: (inout Transaction) -> Void) {
        if let slot = slot(Key(half)) { undecided.update(slot, change) }
    }

    // MARK: Arrival

    /// A half message was stored, or found in the log at start.
    ///
    /// A second copy of a known transaction (a producer's retry, a copy forward) replaces the place of the first.
    /// A copy that comes after the verdict, because another event loop was slower, is decided as the others were. One
    /// that was sent later than all of those is none: a producer may send a message again, with the key that it has,
    /// after it rolled it back. Both times are the producer's: an attempt that was overtaken is the earlier one.
    package mutating func arrived(_ half: HalfMessage, opFloor: QueueOffset, now: Timestamp, schedule: CheckSchedule) {
        latest = max(latest, now)
        noteArrival(half.queueOffset)
        let key = Key(half)
        let slot = undecided.nextIndex
        switch keys.open(key, Undecided(slot: slot)) {
        case .settled(let final)? where half.sent <= final.lastSent:
            keys.settle(key, final)
            remember(half.logOffset, final.verdict)
        case .settled(let final)?:
            keys.open(key, Undecided(slot: slot, earlier: final))
            begin(half, key, opFloor, now, schedule)
        case .open(let known)?:
            keys.open(key, known)
            if let earlier = known.earlier, half.sent <= earlier.lastSent {
                return remember(half.logOffset, earlier.verdict)
            }
            note(half, at: known.slot)
            undecided.update(known.slot) { $0.add(half, opFloor: opFloor) }
        case nil:
            begin(half, key, opFloor, now, schedule)
        }
    }

    /// Everything that was in the half queue at the start was read, or is decided.
    mutating func allArrived(below end: QueueOffset) {
        arrivedEnd = end
        arrivedAhead = []
    }

    private mutating func noteArrival(_ place: QueueOffset) {
        guard place == arrivedEnd else {
            if place > arrivedEnd { arrivedAhead.insert(place) }
            return
        }
        arrivedEnd += 1
        while !arrivedAhead.isEmpty, arrivedAhead.remove(arrivedEnd) != nil { arrivedEnd += 1 }
    }

    private mutating func begin(
        _ half: HalfMessage, _ key: Key, _ opFloor: QueueOffset, _ now: Timestamp, _ schedule: CheckSchedule
    ) {
        let slot = undecided.nextIndex
        note(half, at: slot)
        let first = schedule.firstCheck(of: half, now: now)
        let pause = schedule.immunity(of: half)
        undecided.insert(Transaction(key: key, half: half, firstCheck: first, pause: pause, opFloor: opFloor))
        let check = Due(at: first, slot: slot)
        if firstDue.last.map({ $0.at <= first }) ?? true { firstDue.append(check) } else { due.insert(check) }
    }

    private mutating func note(_ half: HalfMessage, at slot: Slot) {
        places.open(half.logOffset, slot)
        if let first = half.firstCopy, self.slot(first) == nil { places.open(first, slot) }
    }

    // MARK: Verdicts

    package mutating func decide(
        _ verdict: Verdict,
        at logOffset: LogOffset,
        queueOffset: QueueOffset,
        group: String
    ) -> Decision {
        let slot: Slot
        switch places[logOffset] {
        case .open(let open)?: slot = open
        case .settled(let final)?: return settle(verdict, against: final)
        case nil: return .unknown
        }
        var decision = Decision.unknown
        undecided.update(slot) { decision = $0.decide(verdict, at: logOffset, queueOffset: queueOffset, group: group) }
        return decision
    }

    /// The records of the verdict are in the log: it is final.
    package mutating func stored(_ half: HalfMessage, verdict: Verdict) {
        guard let slot = slot(half.logOffset), let transaction = undecided.remove(at: slot) else { return }
        if transaction.isUnresolved { unresolvedCount -= 1 }
        for place in transaction.olderCopies { remember(place, verdict) }
        remember(transaction.half.logOffset, verdict)
        if let first = transaction.half.firstCopy { remember(first, verdict) }
        keys.settle(transaction.key, Decided(verdict: verdict, lastSent: transaction.lastSent))
        while let first = firstDue.first, !undecided.contains(first.slot) { firstDue.removeFirst() }
    }

    /// The verdict could not be stored; the transaction is undecided as before.
    package mutating func notStored(_ half: HalfMessage) {
        update(half) { $0.deciding = nil }
    }

    /// A verdict found in the log at start.
    package mutating func remember(_ logOffset: LogOffset, _ verdict: Verdict) {
        places.settle(logOffset, verdict)
    }

    /// A half that start-up found decided, nil for a verdict that the log does not tell: ends the copies found before.
    ///
    /// - Returns: when the last of them was sent.
    @discardableResult
    mutating func ended(_ half: HalfMessage, _ verdict: Verdict?) -> Timestamp {
        let key = Key(half)
        var known = [half.logOffset]
        var lastSent = half.sent
        if let slot = slot(key), let transaction = undecided.remove(at: slot) {
            keys.remove(key)
            known += transaction.places
            lastSent = max(lastSent, transaction.lastSent)
            if transaction.isUnresolved { unresolvedCount -= 1 }
        }
        for place in known {
            if let verdict { remember(place, verdict) } else { places.remove(place) }
        }
        return lastSent
    }

    func isUndecided(_ half: HalfMessage) -> Bool { transaction(half) != nil }

    /// The known places of a transaction; none when it is not undecided.
    func places(of half: HalfMessage) -> [LogOffset] { transaction(half)?.places ?? [] }

    /// The log knows no verdict on another copy of this half.
    mutating func proven(_ half: HalfMessage) { update(half) { $0.isProven = true } }

    /// The log knows the verdict on another copy of this half. False while a verdict is being stored or it is moved.
    mutating func endedLate(_ half: HalfMessage, _ verdict: Verdict) -> Bool {
        guard let transaction = transaction(half) else { return true }
        guard transaction.deciding == nil, !transaction.isMoving else { return false }
        ended(transaction.half, verdict)
        return true
    }

    /// Counts a verdict against a final one, and says which of the two it is.
    package mutating func settle(_ verdict: Verdict, against final: Verdict) -> Decision {
        if verdict == final { return .repeated }
        refusedOpposites += 1
        return .opposite(of: final)
    }

    /// A verdict whose place is not known any more ends the half with its key: one that was copied forward.
    ///
    /// - Parameter sent: when what lies at that place was sent; nil when nothing does any more. An earlier half with
    ///   the same key is another transaction, which was decided.
    /// - Returns: nil when there is no such half.
    mutating func decide(_ verdict: Verdict, copyOf key: Key, sent: Timestamp?) -> Decision? {
        guard let half = undecidedHalf(key, sent: sent) else { return nil }
        return decide(verdict, at: half.logOffset, queueOffset: half.queueOffset, group: key.group)
    }

    func undecidedHalf(_ key: Key, sent: Timestamp?) -> HalfMessage? {
        guard !key.uniqueKey.isEmpty, let half = slot(key).flatMap({ undecided[$0] })?.half,
            sent ?? half.sent >= half.sent
        else { return nil }
        return half
    }

    // MARK: Checks

    /// When the next check is due; nil when nothing is undecided.
    package var nextCheck: Timestamp? {
        guard let first = firstDue.first else { return due.min?.at }
        return due.min.map { min($0.at, first.at) } ?? first.at
    }

    /// The halves whose check is due, at most `limit`. Each is answered with ``checked(_:at:schedule:)`` or
    /// ``notChecked(_:at:schedule:)``; until then it is not due again.
    package mutating func takeDue(now: Timestamp, limit: Int) -> [Transaction] {
        see(now)
        var taken: [Transaction] = []
        while taken.count < limit, let next = popDue(now: now) {
            guard isWaiting(next), let transaction = undecided[next.slot] else { continue }
            taken.append(transaction)
        }
        return taken
    }

    /// Notes the time, and when the clock was set back brings the checks near: what is due at a time of the old clock
    /// would rest for as long as that was ahead. RocketMQ asks at once about a half that is not born yet; here each
    /// comes within its usual pause, so that not all are asked about in one go.
    private mutating func see(_ now: Timestamp) {
        guard now.advanced(by: Self.clockTolerance) < latest else {
            latest = max(latest, now)
            return
        }
        latest = now
        let waiting = (Array(firstDue) + due.unordered).filter { isWaiting($0) }
        var near: [Due] = []
        near.reserveCapacity(waiting.count)
        for var check in waiting {
            undecided.update(check.slot) { transaction in
                transaction.nextCheck = min(transaction.nextCheck, now.advanced(by: transaction.pause))
                check.at = transaction.nextCheck
            }
            near.append(check)
        }
        firstDue.removeAll()
        due = Heap(near)
    }

    /// Whether the check is still to come. Not when the half was decided or is unresolved, nor when it has another time
    /// by now.
    private func isWaiting(_ check: Due) -> Bool {
        guard let transaction = undecided[check.slot] else { return false }
        return transaction.nextCheck == check.at && !transaction.isUnresolved
    }

    private mutating func popDue(now: Timestamp) -> Due? {
        if let first = firstDue.first, first.at <= now, due.min.map({ first.at <= $0.at }) ?? true {
            return firstDue.removeFirst()
        }
        guard let first = due.min, first.at <= now else { return nil }
        return due.popMin()
    }

    /// A producer was asked. Returns true when that was the last check: the half is now listed as unresolved.
    package mutating func checked(_ half: HalfMessage, at now: Timestamp, schedule: CheckSchedule) -> Bool {
        guard let slot = slot(Key(half)), var transaction = undecided[slot], !transaction.isUnresolved else {
            return false
        }
        transaction.checks += 1
        if transaction.checks >= schedule.maximumChecks {
            transaction.isUnresolved = true
            unresolvedCount += 1
        } else {
            transaction.rest(schedule.pause(afterCheck: transaction.checks), from: now)
            due.insert(Due(at: transaction.nextCheck, slot: slot))
        }
        undecided.update(slot) { $0 = transaction }
        return transaction.isUnresolved
    }

    /// Nobody could receive the check: it does not count.
    package mutating func notChecked(_ half: HalfMessage, at now: Timestamp, schedule: CheckSchedule) {
        guard let slot = slot(Key(half)) else { return }
        undecided.update(slot) { $0.rest(schedule.absentProducerPause, from: now) }
        due.insert(Due(at: now.advanced(by: schedule.absentProducerPause), slot: slot))
    }

    /// Starts the checks of a half over (request 323). False when it is not undecided.
    package mutating func resume(at logOffset: LogOffset, now: Timestamp) -> Bool {
        slot(logOffset).map { resume($0, now: now) } ?? false
    }

    package mutating func resume(group: String, uniqueKey: String, now: Timestamp) -> Bool {
        slot(Key(group: group, uniqueKey: uniqueKey)).map { resume($0, now: now) } ?? false
    }

    private mutating func resume(_ slot: Slot, now: Timestamp) -> Bool {
        guard let transaction = undecided[slot] else { return false }
        if transaction.isUnresolved { unresolvedCount -= 1 }
        undecided.update(slot) {
            $0.isUnresolved = false
            $0.checks = 0
            $0.rest(.zero, from: now)
        }
        due.insert(Due(at: now, slot: slot))
        return true
    }

    /// How often each undecided half was asked about, at most ``CheckCounts/limit`` of them; those never asked about
    /// are left out.
    var checkCounts: CheckCounts {
        var counts = CheckCounts()
        for transaction in undecided.values where transaction.checks > 0 {
            if counts.counts.count == CheckCounts.limit { break }
            counts.counts[transaction.half.logOffset] = transaction.checks
        }
        return counts
    }

    /// Takes up the counts of an earlier run. A half whose checks were used up then is unresolved again.
    mutating func restore(_ counts: CheckCounts, schedule: CheckSchedule) {
        for (offset, count) in counts.counts {
            guard let slot = slot(offset), var transaction = undecided[slot] else { continue }
            transaction.checks = max(transaction.checks, count)
            if transaction.checks >= schedule.maximumChecks, !transaction.isUnresolved {
                transaction.isUnresolved = true
                unresolvedCount += 1
            }
            undecided.update(slot) { $0 = transaction }
        }
    }

    // MARK: Progress

    /// Where a start may begin to read the half and op queues: everything before is decided.
    ///
    /// - Parameters: the ends of both queues, used when nothing is undecided.
    package func progress(halfEnd: QueueOffset, opEnd: QueueOffset) -> (half: QueueOffset, op: QueueOffset) {
        var half = halfEnd
        var op = opEnd
        for transaction in undecided.values where transaction.half.queueOffset < half {
            half = transaction.half.queueOffset
        }
        for transaction in undecided.values { op = min(op, transaction.opFloor) }
        return (half, op)
    }

    /// Undecided halves stored before `limit`: they are copied to the end of the log before it is deleted.
    package func stored(before limit: LogOffset) -> [HalfMessage] {
        undecided.values.filter { $0.half.logOffset < limit }.map(\.half).sorted { $0.logOffset < $1.logOffset }
    }

    /// Keeps verdicts away from a half until ``endMove(_:)``. False: it was decided or copied meanwhile. Nil: a verdict
    /// is being stored.
    mutating func beginMove(_ half: HalfMessage) -> Bool? {
        guard let transaction = transaction(half), transaction.half.logOffset == half.logOffset else { return false }
        guard transaction.deciding == nil else { return nil }
        update(half) { $0.isMoving = true }
        return true
    }

    mutating func endMove(_ half: HalfMessage) {
        update(half) { $0.isMoving = false }
    }
}
