import Synchronization

/// How many connections a server has and had. Read from any thread.
package final class ConnectionCounters: Sendable {
    private let openCount = Atomic<Int>(0)
    private let acceptedCount = Atomic<Int>(0)
    private let refusedCount = Atomic<Int>(0)

    /// Connections open now.
    package var open: Int { openCount.load(ordering: .relaxed) }
    /// Connections served, open or not.
    package var accepted: Int { acceptedCount.load(ordering: .relaxed) }
    /// Connections closed at once because of the limit.
    package var refused: Int { refusedCount.load(ordering: .relaxed) }

    /// - Returns: false when the limit is reached; the connection is then not counted as open.
    func opened(maximum: Int) -> Bool {
        guard openCount.add(1, ordering: .relaxed).newValue <= maximum else {
            openCount.subtract(1, ordering: .relaxed)
            refusedCount.add(1, ordering: .relaxed)
            return false
        }
        acceptedCount.add(1, ordering: .relaxed)
        return true
    }

    func closed() {
        openCount.subtract(1, ordering: .relaxed)
    }
}
