/// What a check may accept, which depends on how the broker is set up and on what was done to it.
struct Expectations: Sendable {
    /// What was acknowledged at these times (the recorder's) may be lost: asynchronous flush and a power loss.
    var lossWindows: [ClosedRange<Int64>] = []
    /// Old messages may have been deleted: those below the queue's minimum.
    var allowsExpiry = false
    /// Nothing is in flight, and time was given: all that is delayed or decided must be there.
    var isSettled = false
    /// Whether delayed messages may be there twice: a start after a crash repeats those that it cannot tell fired.
    var allowsRepeatedDelays = true
}

/// What one check found.
struct CheckResult: Sendable {
    var violations: [Violation] = []
    /// Acknowledged and not there, within the window documented for asynchronous flush.
    var lostInWindow: Set<Int64> = []
    /// Acknowledged within that window and there all the same: after a recovery they are on the disk.
    var survived: Set<Int64> = []
    /// More copies than one, within a documented window.
    var duplicatesInWindow = 0
    var expired = 0
    /// Where each message was found first.
    var found: [Int64: Place] = [:]
}
