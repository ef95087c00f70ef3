import DequeModule

/// What is open, for as long as it is, and of what was settled the latest `limit` entries.
///
/// Entries go one by one, as others are settled: none of them pays for many.
struct SettledTable<Key: Hashable & Sendable, Open: Sendable, Settled: Sendable>: Sendable {
    enum Entry: Sendable {
        case open(Open)
        case settled(Settled)
    }

    private enum State: Sendable {
        case open(Open)
        /// - Parameter number: counts what was ever settled.
        case settled(Settled, number: Int)

        var entry: Entry {
            switch self {
            case .open(let value): .open(value)
            case .settled(let value, _): .settled(value)
            }
        }
    }

    private let limit: Int
    private var states: [Key: State] = [:]
    /// Of what was settled last, the oldest first. Some of it was opened, settled again or removed meanwhile.
    private var settled = Deque<Key>()
    private var settledEver = 0

    init(limit: Int) {
        self.limit = limit
    }

    subscript(key: Key) -> Entry? { states[key]?.entry }

    /// Returns what the entry replaces.
    @discardableResult
    mutating func open(_ key: Key, _ value: Open) -> Entry? {
        states.updateValue(.open(value), forKey: key)?.entry
    }

    mutating func settle(_ key: Key, _ value: Settled) {
        states[key] = .settled(value, number: settledEver)
        settledEver += 1
        settled.append(key)
        if settled.count > limit { forgetOldest() }
    }

    mutating func remove(_ key: Key) {
        states[key] = nil
    }

    private mutating func forgetOldest() {
        let number = settledEver - settled.count
        let key = settled.removeFirst()
        if case .settled(_, number)? = states[key] { states[key] = nil }
    }
}
