/// A broken promise of the store, with everything that is needed to see it again.
struct Violation: Error, CustomStringConvertible {
    var invariant: String
    var detail: String
    /// Something was not found: no violation while the disk refuses to be read.
    var isAbsence: Bool
    /// Filled in by the run.
    var seed: UInt64 = 0
    var world = 0
    var operation = 0
    var setting = ""
    var trail: [String] = []
    /// What the store said last.
    var complaints: [String] = []

    init(_ invariant: String, _ detail: String, isAbsence: Bool = false) {
        self.invariant = invariant
        self.isAbsence = isAbsence
        self.detail = detail
    }

    var description: String {
        """
        \(invariant): \(detail)
        ESCROW_SEED=\(seed), world \(world) (ESCROW_SIM_WORLD=\(world) runs it alone), operation \(operation)
        \(setting)
        the last operations:
        \(trail.map { "  \($0)" }.joined(separator: "\n"))
        the store's last warnings:
        \(complaints.suffix(16).map { "  \($0)" }.joined(separator: "\n"))
        """
    }
}

/// The last operations of a world.
struct Trail {
    private static let length = 20
    private var entries: [String] = []
    private var next = 0

    mutating func add(_ entry: String) {
        if entries.count < Self.length {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.length
        }
    }

    /// What became of the newest one.
    mutating func amend(_ outcome: String) {
        guard !entries.isEmpty else { return }
        let last = entries.count < Self.length ? entries.count - 1 : (next + Self.length - 1) % Self.length
        entries[last] += outcome
    }

    var all: [String] { Array(entries[next...] + entries[..<next]) }
}
