/// Remembers what was added last: at most `limit` values, and at least the latest half of that. The others go together,
/// a generation at a time, so that adding one costs no search for another to drop.
struct LatestTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let generation: Int
    private var newer: [Key: Value] = [:]
    private var older: [Key: Value] = [:]

    init(limit: Int) {
        generation = max(1, limit / 2)
    }

    subscript(key: Key) -> Value? { newer[key] ?? older[key] }

    /// A later value of a key replaces the earlier one.
    mutating func add(_ value: Value, for key: Key) {
        if newer.count >= generation {
            older = newer
            newer = Dictionary(minimumCapacity: generation)
        }
        newer[key] = value
    }
}
