/// What one kind of fault did, over a run.
struct Tally: Sendable {
    var injected = 0
    /// Waited for a system call that did not come: nothing happened but a kill or a loss of power at another moment.
    var missed = 0
    /// How often the power went with it: also to end a failure of the disk, and more than once in a recovery.
    var powerLosses = 0
    /// Messages acknowledged by the broker that it happened to.
    var acknowledged = 0
    /// Acknowledged messages compared with what was read back after it, those of earlier faults on the same store too.
    var compared = 0
    var lost = 0
    var altered = 0
    /// More copies than one, in a documented window.
    var duplicated = 0
    /// Lost within the window of asynchronous flush.
    var lostInWindow = 0
    var order = 0
    var other = 0
    /// From the start of the process until it serves, in milliseconds.
    var recoveries: [Double] = []

    mutating func count(_ violation: Violation) {
        switch violation.invariant {
        case .lost: lost += 1
        case .altered: altered += 1
        case .order: order += 1
        default: other += 1
        }
    }

    mutating func merge(_ tally: Tally) {
        injected += tally.injected
        missed += tally.missed
        powerLosses += tally.powerLosses
        acknowledged += tally.acknowledged
        compared += tally.compared
        lost += tally.lost
        altered += tally.altered
        duplicated += tally.duplicated
        lostInWindow += tally.lostInWindow
        order += tally.order
        other += tally.other
        recoveries += tally.recoveries
    }

    /// The time within which this share of the recoveries was done.
    func recovery(_ share: Double) -> Double? {
        guard !recoveries.isEmpty else { return nil }
        let sorted = recoveries.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}
