import MQProtocol

/// What the members of one group were given, and what they made of it. Pure.
struct Deliveries: Sendable {
    /// How a handler's call ends.
    enum Result: Sendable, Hashable {
        case handled, failed
        /// The last attempt there is: the message becomes a dead letter.
        case givenUp
    }

    struct Record: Sendable {
        var sender: Int
        /// Where it is in a queue of its topic. Nil when only the retry topic gave it.
        var place: Place?
        /// When it was given first and last, by the recorder's clock.
        var first: Int64
        var last: Int64
        /// The failures that the message told of, each time it was given.
        var attempts: Set<Int32> = []
        /// Whether it was given twice after as many failures: its queue changed hands meanwhile, or its broker ended.
        var isRepeated = false
        /// Of the last call that has ended; the first that ended well or for good stays.
        var result: Result?

        var isDone: Bool { result == .handled || result == .givenUp }
    }

    private(set) var records: [Int64: Record] = [:]
    private(set) var ledger = Ledger()
    private(set) var violations: [Violation] = []
    /// Until when the broker was away last, or refused: what could not be sent back to it counts as tried, and is tried
    /// again.
    var disturbedUntil: Int64 = -1
    /// The newest message of each sender.
    private var newest: [Int: Int64] = [:]
    private let isOrdered: Bool

    init(isOrdered: Bool) { self.isOrdered = isOrdered }

    /// A member gets a message.
    ///
    /// - Parameter attempt: how often it was given back, as the message says.
    /// - Returns: how this call is to end.
    mutating func begin(_ number: Int64, sender: Int, at place: Place?, attempt: Int32, time: Int64) -> Result {
        let isUndisturbed = records[number].map { $0.first > disturbedUntil } ?? true
        if attempt > ConsumerGroup.maximumRetries, isUndisturbed {
            violations.append(Violation(.delivery, "message \(number) was given with \(attempt) failures"))
        }
        let isFirst = records[number] == nil
        if isFirst, isOrdered { checkOrder(number, sender) }
        let hasFailed = records[number]?.result == .failed
        records[number, default: Record(sender: sender, place: place, first: time, last: time)].last = time
        if let place { records[number]?.place = place }
        if records[number]?.attempts.insert(attempt).inserted == false { records[number]?.isRepeated = true }
        switch Payload.fate(number) {
        case .handled: return .handled
        case .failsOnce: return hasFailed || attempt > 0 ? .handled : .failed
        case .failsAlways: return attempt < ConsumerGroup.maximumRetries ? .failed : .givenUp
        }
    }

    /// A message comes to the group only when those of its sender before it are done with.
    private mutating func checkOrder(_ number: Int64, _ sender: Int) {
        defer { newest[sender] = max(newest[sender] ?? number, number) }
        guard let before = newest[sender] else { return }
        if before > number {
            violations.append(Violation(.order, "message \(number) came to the group behind \(before) of its sender"))
        } else if records[before]?.isDone == false {
            violations.append(Violation(.order, "message \(number) came to the group while \(before) was not done"))
        }
    }

    /// A handler's call ends. Its effect on the ledger comes with the message's first success only.
    ///
    /// - Parameter identity: what the member knows the message by.
    mutating func end(_ number: Int64, _ result: Result, identity: String) {
        // Two members may have it after a crash: what one has done stays done.
        if records[number]?.isDone == false { records[number]?.result = result }
        if result == .handled { ledger.apply(number, identity: identity) }
    }

    mutating func noteForeign(_ text: String) {
        violations.append(Violation(.altered, "the group was given what nobody sent: \(text)"))
    }

    /// What was found since this was asked last.
    mutating func takeViolations() -> [Violation] {
        defer { violations = [] }
        return violations
    }
}
