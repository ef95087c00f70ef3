/// What a run did and found.
package struct Report: Sendable {
    /// What the table tells apart.
    struct Row: Hashable, CustomStringConvertible {
        var kind: FaultKind
        /// RocketMQ 5's checksum of whole records.
        var hasRecordChecksum: Bool
        /// Nil for stores without a broker.
        var flush: Setup.Flush?

        var description: String {
            let mode = flush.map { ", \($0.rawValue)" } ?? ""
            return "\(kind.rawValue)\(mode), \(hasRecordChecksum ? "with record CRC" : "without")"
        }
    }

    private(set) var tallies: [Row: Tally] = [:]
    /// The first of each life, with what repeats it.
    package private(set) var failures: [String] = []
    private(set) var violationCount = 0
    private(set) var invariants: Set<Invariant> = []
    /// What could not be done here, and why, each as a sentence without its stop.
    package private(set) var skipped: [String] = []
    /// Whether only damaged files could be tried, which cannot show what was to be shown.
    package var isInconclusive = false

    package init() {}

    mutating func count(_ row: Row, _ change: (inout Tally) -> Void) { change(&tallies[row, default: Tally()]) }

    mutating func fail(_ violations: [Violation], of row: Row, repeatedBy command: String) {
        guard !violations.isEmpty else { return }
        violationCount += violations.count
        invariants.formUnion(violations.map(\.invariant))
        count(row) { tally in violations.forEach { tally.count($0) } }
        let more = violations.count > 3 ? ["... and \(violations.count - 3) more"] : []
        failures += violations.prefix(3).map { "\(row.kind.rawValue): \($0)" } + more + ["  again: \(command)"]
    }

    /// Each world says the same.
    mutating func skip(_ reason: String) {
        if !skipped.contains(reason) { skipped.append(reason) }
    }

    mutating func merge(_ report: Report) {
        for (row, tally) in report.tallies { tallies[row, default: Tally()].merge(tally) }
        failures += report.failures
        violationCount += report.violationCount
        for reason in report.skipped { skip(reason) }
        isInconclusive = isInconclusive || report.isInconclusive
        invariants.formUnion(report.invariants)
    }

    package var faultCount: Int { tallies.values.reduce(0) { $0 + $1.injected } }

    package var acknowledged: Int { tallies.values.reduce(0) { $0 + $1.acknowledged } }

    package var powerLosses: Int { tallies.values.reduce(0) { $0 + $1.powerLosses } }

    package var isClean: Bool { violationCount == 0 }

    /// The last line of a run. It alone is read by many: it says what the run does not prove.
    package var verdict: String {
        let sums = tallies.values.reduce(into: Tally()) { $0.merge($1) }
        let summary =
            "\(faultCount) faults, \(powerLosses) power losses, \(acknowledged) acknowledged messages, "
            + "\(sums.lost) lost, "
            + "\(sums.altered) altered, \(sums.order) out of order, \(sums.other) other violations"
        guard !skipped.isEmpty else { return (isClean ? "passed: " : "FAILED: ") + summary }
        let reasons = skipped.joined(separator: "; ")
        return (isClean ? "passed, but " : "FAILED, and ") + reasons + "; " + summary
    }
}
