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
    /// How many places of decided halves are kept at most, and half as many at least, to recognise a repeated or an
    /// opposite verdict without reading the log.
    package static let decidedLimit = 100_000
    /// The same for their keys, for copies that arrive late.
    static let decidedKeyLimit = 10_000

    package struct Transaction: Sendable {
        package var half: HalfMessage
        package var checks: Int
        package var nextCheck: Timestamp
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

        /// Every place by which a verdict may name it.
        var places: [LogOffset] {
            olderCopies + [half.logOffset] + (half.firstCopy.map { [$0] } ?? [])
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
        /// The other verdict is final already, or being stored.
        case opposite(of: Verdict)
        /// The same verdict is being stored by another request.
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

    private struct Due: Comparable, Sendable {
        var at: Timestamp
        /// Of any copy of the half.
        var logOffset: LogOffset
        static func < (a: Due, b: Due) -> Bool { a.at < b.at }
        static func == (a: Due, b: Due) -> Bool { a.at == b.at }
    }

    private var undecided: [Key: Transaction] = [:]
    private var keyByOffset: [LogOffset: Key] = [:]
    /// First checks in the order in which they are due, which is nearly that of arrival: most are decided long before.
    private var firstDue = Deque<Due>()
    /// All other checks.
    private var due = Heap<Due>()
    private var decided = LatestTable<LogOffset, Verdict>(limit: decidedLimit)
    /// A copy that is late finds here what became of it.
    private var decidedKeys = LatestTable<Key, Decided>(limit: decidedKeyLimit)
    package private(set) var unresolvedCount = 0
    package private(set) var refusedOpposites = 0

    package init() {}

    package var undecidedCount: Int { undecided.count }

    package var all: [Transaction] { Array(undecided.values) }

    // MARK: Arrival

    /// A half message was stored, or found in the log at start.
    ///
    /// A second copy of a known transaction (a producer's retry, a copy forward) replaces the place of the first.
    /// A copy that comes after the verdict, because another event loop was slower, is decided as the others were. One
    /// that was sent later than all of those is none: a producer may send a message again, with the key that it has,
    /// after it rolled it back. Both times are the producer's: an attempt that was overtaken is the earlier one.
    package mutating func arrived(_ half: HalfMessage, opFloor: QueueOffset, schedule: CheckSchedule) {
        let key = Key(half)
        if let final = decidedKeys[key], half.sent <= final.lastSent {
            return remember(half.logOffset, final.verdict)
        }
        keyByOffset[half.logOffset] = key
        if let first = half.firstCopy, keyByOffset[first] == nil { keyByOffset[first] = key }
        if let index = undecided.index(forKey: key) {
            return undecided.values[index].add(half, opFloor: opFloor)
        }
        let first = schedule.firstCheck(of: half)
        undecided[key] = Transaction(
            half: half, checks: half.earlierChecks, nextCheck: first, opFloor: opFloor, isUnresolved: false,
            deciding: nil, lastSent: half.sent
        )
        let check = Due(at: first, logOffset: half.logOffset)
        if firstDue.last.map({ $0.at <= first }) ?? true { firstDue.append(check) } else { due.insert(check) }
    }

    // MARK: Verdicts

    package mutating func decide(
        _ verdict: Verdict,
        at logOffset: LogOffset,
        queueOffset: QueueOffset,
        group: String
    ) -> Decision {
        guard let key = keyByOffset[logOffset] else {
            guard let final = decided[logOffset] else { return .unknown }
            return settle(verdict, against: final)
        }
        guard let index = undecided.index(forKey: key) else { return .unknown }
        guard key.group == group else { return .wrongGroup }
        let transaction = undecided.values[index]
        if transaction.half.logOffset == logOffset, transaction.half.queueOffset != queueOffset {
            return .wrongQueueOffset
        }
        if transaction.isMoving { return .beingStored }
        if let storing = transaction.deciding {
            return storing == verdict ? .beingStored : settle(verdict, against: storing)
        }
        undecided.values[index].deciding = verdict
        return .store(transaction.half)
    }

    /// The records of the verdict are in the log: it is final.
    package mutating func stored(_ half: HalfMessage, verdict: Verdict) {
        guard let key = keyByOffset[half.logOffset], let transaction = undecided.removeValue(forKey: key)
        else { return }
        if transaction.isUnresolved { unresolvedCount -= 1 }
        for offset in transaction.olderCopies { forget(offset, verdict) }
        forget(transaction.half.logOffset, verdict)
        if let first = transaction.half.firstCopy { forget(first, verdict) }
        decidedKeys.add(Decided(verdict: verdict, lastSent: transaction.lastSent), for: key)
        while let first = firstDue.first, keyByOffset[first.logOffset] == nil { firstDue.removeFirst() }
    }

    private mutating func forget(_ logOffset: LogOffset, _ verdict: Verdict) {
        keyByOffset.removeValue(forKey: logOffset)
        remember(logOffset, verdict)
    }

    /// The verdict could not be stored; the transaction is undecided as before.
    package mutating func notStored(_ half: HalfMessage) {
        undecided[Key(half)]?.deciding = nil
    }

    /// A verdict found in the log at start.
    package mutating func remember(_ logOffset: LogOffset, _ verdict: Verdict) {
        decided.add(verdict, for: logOffset)
    }

    /// A half that start-up found decided, nil for a verdict that the log does not tell: ends the copies found before.
    ///
    /// - Returns: when the last of them was sent.
    @discardableResult
    mutating func ended(_ half: HalfMessage, _ verdict: Verdict?) -> Timestamp {
        var places = [half.logOffset]
        var lastSent = half.sent
        if let transaction = undecided.removeValue(forKey: Key(half)) {
            places += transaction.places
            lastSent = max(lastSent, transaction.lastSent)
            if transaction.isUnresolved { unresolvedCount -= 1 }
        }
        for place in places {
            keyByOffset.removeValue(forKey: place)
            if let verdict { remember(place, verdict) }
        }
        return lastSent
    }

    func isUndecided(_ half: HalfMessage) -> Bool { undecided[Key(half)] != nil }

    /// The known places of a transaction; none when it is not undecided.
    func places(of half: HalfMessage) -> [LogOffset] { undecided[Key(half)]?.places ?? [] }

    /// The log knows no verdict on another copy of this half.
    mutating func proven(_ half: HalfMessage) { undecided[Key(half)]?.isProven = true }

    /// The log knows the verdict on another copy of this half. False while a verdict is being stored or it is moved.
    mutating func endedLate(_ half: HalfMessage, _ verdict: Verdict) -> Bool {
        guard let transaction = undecided[Key(half)] else { return true }
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
        guard !key.uniqueKey.isEmpty, let half = undecided[key]?.half, sent ?? half.sent >= half.sent else {
            return nil
        }
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
        var taken: [Transaction] = []
        while taken.count < limit, let next = popDue(now: now) {
            guard let key = keyByOffset[next.logOffset], let transaction = undecided[key],
                transaction.nextCheck == next.at
            else { continue }
            guard !transaction.isUnresolved else { continue }
            taken.append(transaction)
        }
        return taken
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
        let key = Key(half)
        guard var transaction = undecided[key], !transaction.isUnresolved else { return false }
        transaction.checks += 1
        if transaction.checks >= schedule.maximumChecks {
            transaction.isUnresolved = true
            unresolvedCount += 1
        } else {
            transaction.nextCheck = now.advanced(by: schedule.pause(afterCheck: transaction.checks))
            due.insert(Due(at: transaction.nextCheck, logOffset: half.logOffset))
        }
        undecided[key] = transaction
        return transaction.isUnresolved
    }

    /// Nobody could receive the check: it does not count.
    package mutating func notChecked(_ half: HalfMessage, at now: Timestamp, schedule: CheckSchedule) {
        let key = Key(half)
        guard var transaction = undecided[key] else { return }
        transaction.nextCheck = now.advanced(by: schedule.absentProducerPause)
        undecided[key] = transaction
        due.insert(Due(at: transaction.nextCheck, logOffset: half.logOffset))
    }

    /// Starts the checks of a half over (request 323). False when it is not undecided.
    package mutating func resume(at logOffset: LogOffset, now: Timestamp) -> Bool {
        keyByOffset[logOffset].map { resume($0, now: now) } ?? false
    }

    package mutating func resume(group: String, uniqueKey: String, now: Timestamp) -> Bool {
        resume(Key(group: group, uniqueKey: uniqueKey), now: now)
    }

    private mutating func resume(_ key: Key, now: Timestamp) -> Bool {
        guard var transaction = undecided[key] else { return false }
        if transaction.isUnresolved { unresolvedCount -= 1 }
        transaction.isUnresolved = false
        transaction.checks = 0
        transaction.nextCheck = now
        undecided[key] = transaction
        due.insert(Due(at: now, logOffset: transaction.half.logOffset))
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
            guard let key = keyByOffset[offset], var transaction = undecided[key] else { continue }
            transaction.checks = max(transaction.checks, count)
            if transaction.checks >= schedule.maximumChecks, !transaction.isUnresolved {
                transaction.isUnresolved = true
                unresolvedCount += 1
            }
            undecided[key] = transaction
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
        let key = Key(half)
        guard let transaction = undecided[key], transaction.half.logOffset == half.logOffset else { return false }
        guard transaction.deciding == nil else { return nil }
        undecided[key]?.isMoving = true
        return true
    }

    mutating func endMove(_ half: HalfMessage) {
        undecided[Key(half)]?.isMoving = false
    }
}
