/// What fails at the moment, so that it is logged when that changes and not each time it is tried. Pure.
struct Outages {
    private var failing: Set<String> = []

    /// - Returns: true when it did not fail before.
    mutating func failed(_ what: String) -> Bool {
        failing.insert(what).inserted
    }

    /// - Returns: true when it failed before.
    mutating func worked(_ what: String) -> Bool {
        failing.remove(what) != nil
    }
}
