import Synchronization

/// A clock that moves only when it is told to, so that half an hour passes in a microsecond.
///
/// Whoever moves it wakes the sleepers whose time has come, in the order of their deadlines (equal deadlines: in the
/// order they fell asleep). A woken sleeper sees the time the clock was moved to, not its own deadline.
public final class ManualClock: Sendable {
    private let state: Mutex<SleeperTable>

    public init(start: Timestamp) {
        state = Mutex(SleeperTable(now: start))
    }

    public func now() -> Timestamp {
        state.withLock { $0.now }
    }

    /// Moves forward; a negative duration is refused as a mistake of the test.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "a manual clock is set back with set(to:), not advanced by \(duration)")
        wake(state.withLock { $0.move(to: $0.now.advanced(by: duration)) })
    }

    /// Moves to any time, also backwards, as a wall clock can be set. Then nobody sleeps longer than before: see
    /// ``TimeSource/sleep(until:)``.
    public func set(to time: Timestamp) {
        wake(state.withLock { $0.move(to: time) })
    }

    /// The earliest deadline somebody sleeps for.
    public var nextDeadline: Timestamp? {
        state.withLock { $0.sleepers.first?.deadline }
    }

    public var sleeperCount: Int {
        state.withLock { $0.sleepers.count }
    }

    /// Returns when at least `count` tasks sleep on this clock, or when the calling task is cancelled.
    ///
    /// A test calls this before it moves the clock: then the tasks it wants to wake are known to be asleep.
    public func waitForSleepers(count: Int) async {
        let id = state.withLock { $0.nextID() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { $0.addWatcher(id: id, count: count, continuation) }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.removeWatcher(id: id) }?.resume()
        }
    }

    func sleep(until deadline: Timestamp) async throws {
        let id = state.withLock { $0.nextID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { $0.addSleeper(id: id, deadline: deadline, continuation) }
                switch outcome {
                case .sleeps(let watchers): watchers.forEach { $0.resume() }
                case .isDue: continuation.resume()
                case .isCancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            state.withLock { $0.removeSleeper(id: id) }?.resume(throwing: CancellationError())
        }
    }

    private func wake(_ due: [CheckedContinuation<Void, any Error>]) {
        due.forEach { $0.resume() }
    }
}

/// Who sleeps on a manual clock, and who waits for sleepers. The caller resumes what the functions return, after it
/// has released the lock.
private struct SleeperTable {
    struct Sleeper {
        let id: UInt64
        var deadline: Timestamp
        let continuation: CheckedContinuation<Void, any Error>
    }

    struct Watcher {
        let id: UInt64
        let count: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    enum Outcome {
        case sleeps([CheckedContinuation<Void, Never>])
        case isDue
        case isCancelled
    }

    var now: Timestamp
    /// Ordered by deadline, then by arrival.
    var sleepers: [Sleeper] = []
    private var watchers: [Watcher] = []
    private var lastID: UInt64 = 0
    /// Cancelled before they were entered: a cancellation may overtake the sleep it cancels.
    private var cancelled: Set<UInt64> = []

    init(now: Timestamp) {
        self.now = now
    }

    mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    mutating func move(to time: Timestamp) -> [CheckedContinuation<Void, any Error>] {
        if time < now {
            let step = now.duration(to: time)
            for index in sleepers.indices { sleepers[index].deadline = sleepers[index].deadline.advanced(by: step) }
        }
        now = time
        let firstLater = sleepers.firstIndex { $0.deadline > time } ?? sleepers.endIndex
        let due = sleepers[..<firstLater].map(\.continuation)
        sleepers.removeSubrange(..<firstLater)
        return due
    }

    mutating func addSleeper(
        id: UInt64, deadline: Timestamp, _ continuation: CheckedContinuation<Void, any Error>
    ) -> Outcome {
        if cancelled.remove(id) != nil { return .isCancelled }
        if deadline <= now { return .isDue }
        let place = sleepers.firstIndex { $0.deadline > deadline } ?? sleepers.endIndex
        sleepers.insert(Sleeper(id: id, deadline: deadline, continuation: continuation), at: place)
        let satisfied = watchers.filter { $0.count <= sleepers.count }
        watchers.removeAll { $0.count <= sleepers.count }
        return .sleeps(satisfied.map(\.continuation))
    }

    mutating func removeSleeper(id: UInt64) -> CheckedContinuation<Void, any Error>? {
        guard let index = sleepers.firstIndex(where: { $0.id == id }) else {
            cancelled.insert(id)
            return nil
        }
        return sleepers.remove(at: index).continuation
    }

    /// - Returns: whether there is nothing to wait for.
    mutating func addWatcher(id: UInt64, count: Int, _ continuation: CheckedContinuation<Void, Never>) -> Bool {
        if cancelled.remove(id) != nil || sleepers.count >= count { return true }
        watchers.append(Watcher(id: id, count: count, continuation: continuation))
        return false
    }

    mutating func removeWatcher(id: UInt64) -> CheckedContinuation<Void, Never>? {
        guard let index = watchers.firstIndex(where: { $0.id == id }) else {
            cancelled.insert(id)
            return nil
        }
        return watchers.remove(at: index).continuation
    }
}
