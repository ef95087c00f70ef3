/// A build that is broken on purpose, and what the laboratory has to find in it. A laboratory that finds nothing in one
/// of these proves nothing by finding nothing elsewhere.
package enum Control: String, Sendable, CaseIterable {
    case acknowledgeBeforeFlush = "ESCROW_BUG_ACK_BEFORE_FLUSH"
    case noChecksums = "ESCROW_BUG_NO_CRC"
    case offsetsEarly = "ESCROW_BUG_OFFSETS_EARLY"
    case truncateWithoutCut = "ESCROW_BUG_TRUNCATE_WITHOUT_CUT"

    /// One of these must be reported.
    var symptoms: Set<Invariant> {
        switch self {
        case .acknowledgeBeforeFlush: [.lost]
        case .noChecksums: [.altered]
        case .offsetsEarly: [.consumerOffset]
        case .truncateWithoutCut: [.torn, .recovery]
        }
    }

    /// Faults that bring it to light.
    package var kinds: [FaultKind] {
        switch self {
        case .acknowledgeBeforeFlush: [.power, .powerAtAppend, .powerAtFlush]
        case .noChecksums: [.flipBody, .flipProperties, .flipLog]
        case .offsetsEarly: [.kill, .stop]
        case .truncateWithoutCut: [.staleTail]
        }
    }

    package func isFound(in report: Report) -> Bool { !symptoms.isDisjoint(with: report.invariants) }
}
