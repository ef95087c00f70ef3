/// Which changes each name server was told about, and who waits for that.
///
/// Pure. A waiter is let go when every name server either knows of its change or could not be told at the last
/// attempt: a name server that is down holds nobody up twice.
struct RegistrationProgress<Waiter: Sendable>: Sendable {
    /// By server: the newest change that an attempt, successful or not, has covered.
    private var attempted: [Int]
    private(set) var changes = 0
    private var waiters: [(change: Int, waiter: Waiter)] = []

    init(serverCount: Int) {
        attempted = Array(repeating: 0, count: serverCount)
    }

    /// Notes a change; every server is to be told.
    mutating func changed() {
        changes += 1
    }

    /// Whether the server has not heard of the newest change, and was not tried since.
    func mustTell(_ server: Int) -> Bool {
        attempted[server] < changes
    }

    /// - Returns: whether there is nothing to wait for.
    mutating func wait(_ waiter: Waiter) -> Bool {
        guard attempted.contains(where: { $0 < changes }) else { return true }
        waiters.append((changes, waiter))
        return false
    }

    /// An attempt that began when there were `change` changes is over.
    ///
    /// - Returns: the waiters to let go.
    mutating func attempted(_ server: Int, change: Int) -> [Waiter] {
        attempted[server] = max(attempted[server], change)
        let covered = attempted.min() ?? changes
        let done = waiters.filter { $0.change <= covered }.map(\.waiter)
        waiters.removeAll { $0.change <= covered }
        return done
    }

    /// Lets everyone go: the broker stops.
    mutating func end() -> [Waiter] {
        defer { waiters = [] }
        return waiters.map(\.waiter)
    }
}
