/// Everything that was sent to one store, and what is known of each message. Pure.
///
/// A message's number is its index. Nothing about a message is ever forgotten: a message that was seen must stay, one
/// that a crash took must not come back.
struct History: Sendable {
    enum Kind: Sendable, Hashable {
        case single, batch
        /// Sent by its ordering key.
        case ordered
        /// Not to be seen before it is due.
        case delayed(Delay)
        /// Seen when, and only when, its verdict is commit.
        case transactional
    }

    enum State: Sendable, Hashable {
        /// No answer, or one that promises nothing: it may be there or not.
        case inFlight
        /// The broker said that it is safe. The time is the recorder's, in milliseconds.
        case acknowledged(at: Int64)
        /// Never acknowledged, but read back after a fault.
        case present
        /// Never acknowledged and not there after a fault.
        case absent
        /// Acknowledged, and lost within the window that asynchronous flush documents.
        case lostInWindow
        /// Spoilt on the disk: it may be there unharmed, or not at all.
        case damaged
    }

    enum Verdict: Sendable, Hashable {
        case undecided, commit, rollback
    }

    struct Entry: Sendable {
        var kind: Kind
        var topic: String
        /// Nil while the broker chooses it.
        var queueID: Int32?
        /// Messages of one sender go out one after the other.
        var sender: Int
        var state = State.inFlight
        /// Where it was acknowledged or found.
        var place: Place?
        var verdict = Verdict.undecided
    }

    private(set) var entries: [Entry] = []
    /// The highest offset that each queue's consumer said it is done with.
    private(set) var consumed: [QueueName: Int64] = [:]
    /// What the broker took of that, and when.
    private var confirmed: [QueueName: [Confirmation]] = [:]

    private struct Confirmation: Sendable {
        var offset: Int64
        var time: Int64
    }

    var acknowledgedCount: Int {
        entries.count { if case .acknowledged = $0.state { true } else { false } }
    }

    func entry(_ number: Int64) -> Entry? {
        entries.indices.contains(Int(clamping: number)) ? entries[Int(number)] : nil
    }

    mutating func begin(_ kind: Kind, topic: String, queueID: Int32?, sender: Int) -> Int64 {
        entries.append(Entry(kind: kind, topic: topic, queueID: queueID, sender: sender))
        return Int64(entries.count - 1)
    }

    /// - Parameter place: nil when the answer does not say where the message will be seen.
    mutating func acknowledge(_ number: Int64, at time: Int64, place: Place?) {
        entries[Int(number)].state = .acknowledged(at: time)
        entries[Int(number)].place = place
        if let place { entries[Int(number)].queueID = place.queue.queueID }
    }

    /// What the producer decided. A crash may keep the broker from hearing of it; a check-back tells it.
    mutating func decide(_ number: Int64, _ verdict: Verdict) {
        entries[Int(number)].verdict = verdict
    }

    mutating func consume(_ queue: QueueName, below offset: Int64) {
        consumed[queue] = max(consumed[queue] ?? 0, offset)
    }

    /// Only changes count: the file is written when there is one.
    mutating func confirm(_ queue: QueueName, _ offset: Int64, at time: Int64) {
        guard confirmed[queue]?.last?.offset != offset else { return }
        confirmed[queue, default: []].append(Confirmation(offset: offset, time: time))
    }

    /// The offset that the broker had taken when the last one was taken, `window` milliseconds before that.
    func oldConfirmation(of queue: QueueName, window: Int64) -> Int64 {
        guard let all = confirmed[queue], let last = all.last else { return 0 }
        let limit = last.time == .min ? .min : last.time - window
        return all.last { $0.time <= limit }?.offset ?? 0
    }

    /// What a broker says after a start is on its disk, and all that is known: of what it took before, it may have lost
    /// the last.
    mutating func restartConfirmations(with offsets: [QueueName: Int64]) {
        confirmed = offsets.mapValues { [Confirmation(offset: $0, time: .min)] }
    }

    /// A fault kept the broker from writing them down, or damaged what it wrote.
    mutating func forgetConfirmations() { confirmed = [:] }

    mutating func setState(_ number: Int64, _ state: State, place: Place? = nil) {
        entries[Int(number)].state = state
        if let place { entries[Int(number)].place = place }
    }
}
