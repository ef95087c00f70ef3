/// What a build that is broken on purpose has to show. A simulation that finds nothing in one of these proves nothing
/// by finding nothing elsewhere.
enum PlantedBug {
    /// One of these must be found; nil in a build that is not broken.
    static let symptoms: Set<Invariant>? = {
        #if ESCROW_BUG_ACK_BEFORE_FLUSH
        [.lost]
        #elseif ESCROW_BUG_NO_CRC
        [.corrupt, .altered]
        #elseif ESCROW_BUG_TRUNCATE_WITHOUT_CUT
        [.zeroEnd]
        #else
        nil
        #endif
    }()

    /// - Returns: whether the outcome of a run is the one that this build must have.
    static func isExpected(_ violation: Violation?) -> Bool {
        guard let symptoms else { return violation == nil }
        return violation.map { symptoms.contains($0.invariant) } ?? false
    }
}
