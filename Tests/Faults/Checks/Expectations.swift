import MQProtocol

/// What a check may accept, which depends on how the broker is set up and on what was done to it.
struct Expectations: Sendable {
    /// By the broker's clock, when it may have delivered messages without having written it down, and when it may
    /// deliver them again.
    struct RepeatWindow: Sendable {
        /// What ended the broker.
        var kind: FaultKind
        var delivered: ClosedRange<Timestamp>
        var again: ClosedRange<Timestamp>
    }

    /// The broker's clock was set back: what waits in a level waits for its delay from then on.
    struct LevelRestart: Sendable {
        /// By this process's clock.
        var at: Timestamp
        /// The earliest end of that delay, by the broker's clock.
        var due: Timestamp
        /// The broker's clock was ahead of this process's before.
        var wasAhead = false
    }

    /// What was acknowledged at these times (the recorder's) may be lost: asynchronous flush and a power loss.
    var lossWindows: [ClosedRange<Int64>] = []
    /// The broker's ends after which it may deliver delayed messages once more.
    var repeatWindows: [RepeatWindow] = []
    /// When the broker's clock was set back, by its new time: what was due before may be stored with a time before
    /// that.
    var setBacks: [ClosedRange<Timestamp>] = []
    var levelRestarts: [LevelRestart] = []
    /// Old messages may be deleted at present: those below the queue's minimum.
    var allowsExpiry = false
    /// Where queues begin since messages were deleted, if that is not at 0.
    private(set) var firstOffsets: [QueueName: Int64] = [:]
    /// While messages could be deleted, by the recorder's clock.
    private(set) var expiries: [ClosedRange<Int64>] = []
    /// Nothing is in flight, and time was given: all that is delayed or decided must be there.
    var isSettled = false

    /// From now on old messages may be deleted.
    mutating func beginExpiry(at time: Int64) {
        allowsExpiry = true
        expiries.append(time...time)
    }

    /// The broker's clock is right again: what it has is what it keeps.
    mutating func endExpiry(with contents: Contents, at time: Int64) {
        firstOffsets = contents.mapValues(\.minimum)
        guard allowsExpiry, let begin = expiries.popLast()?.lowerBound else { return }
        allowsExpiry = false
        expiries.append(begin...time)
    }

    /// Below which offset messages of a queue may be gone.
    func mayBegin(_ queue: QueueName, beginningAt minimum: Int64) -> Int64 {
        allowsExpiry ? minimum : min(minimum, firstOffsets[queue] ?? 0)
    }

    func mayBeLost(acknowledgedAt time: Int64) -> Bool { lossWindows.contains { $0.contains(time) } }

    /// What let the broker deliver a message once more; nil when nothing did.
    func repeated(deliveredAt time: Timestamp, again later: Timestamp) -> FaultKind? {
        repeatWindows.first { $0.delivered.contains(time) && $0.again.contains(later) }?.kind
    }

    /// A broker served without trouble until then: what it was to deliver again, it has. Not so where that is all that
    /// the log holds.
    mutating func endRepeats(at time: Timestamp) {
        for index in repeatWindows.indices where repeatWindows[index].again.upperBound > time {
            if repeatWindows[index].kind == .deletedDelays { continue }
            let begin = repeatWindows[index].again.lowerBound
            repeatWindows[index].again = begin...max(begin, time)
        }
    }

    func mayBeEarly(_ delay: Delay, storedAt time: Timestamp) -> Bool {
        if setBacks.contains(where: { $0.contains(time) }) { return true }
        guard let sent = delay.levelSince else { return false }
        return levelRestarts.contains { sent <= $0.at && $0.due <= time }
    }

    /// How long before a jump of the clock a message was sent that waited in its level then: a level's delay, and as
    /// long as brokers were away.
    private static let waitBeforeRestart = Duration.seconds(60)

    /// Retention makes a timer of what waits in a level. Where the clock was ahead then, it is due hours after that is
    /// right again.
    func mayWaitOn(_ delay: Delay) -> Bool {
        guard let sent = delay.levelSince else { return false }
        return levelRestarts.contains { restart in
            restart.wasAhead && sent <= restart.at && sent.duration(to: restart.at) <= Self.waitBeforeRestart
        }
    }

    /// Whether messages could be deleted at that time or later.
    func couldExpire(since time: Int64) -> Bool { allowsExpiry || expiries.contains { $0.upperBound >= time } }
}

/// What one check found.
struct CheckResult: Sendable {
    var violations: [Violation] = []
    /// Acknowledged and not there, within the window documented for asynchronous flush.
    var lostInWindow: Set<Int64> = []
    /// Acknowledged within that window and there all the same: after a recovery they are on the disk.
    var survived: Set<Int64> = []
    /// More copies than one, within a documented window, by what ended the broker.
    var duplicatesInWindow: [FaultKind: Int] = [:]
    var expired = 0
    /// Where each message was found first.
    var found: [Int64: Place] = [:]
    /// When its last copy so far was stored, by the broker's clock.
    var storedAt: [Int64: Timestamp] = [:]
}
