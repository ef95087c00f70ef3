import DequeModule
import Synchronization

/// Check-backs that wait to be answered: a bounded queue between the event loops and one taker.
final class CheckBacklog: Sendable {
    private struct State {
        var waiting: Deque<CheckRequest> = []
        var taker: CheckedContinuation<CheckRequest?, Never>?
        var isClosed = false
        var dropped = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// How many found the backlog full and stay unanswered; the broker asks again.
    var dropped: Int {
        state.withLock { $0.dropped }
    }

    /// - Returns: false when the backlog is full or closed.
    func offer(_ check: CheckRequest) -> Bool {
        let (taker, isTaken) = state.withLock { state -> (CheckedContinuation<CheckRequest?, Never>?, Bool) in
            if state.isClosed { return (nil, false) }
            if let taker = state.taker {
                state.taker = nil
                return (taker, true)
            }
            guard state.waiting.count < limit else {
                state.dropped += 1
                return (nil, false)
            }
            state.waiting.append(check)
            return (nil, true)
        }
        taker?.resume(returning: check)
        return isTaken
    }

    /// The oldest check-back, when there is one; nil when the backlog was closed or the task is cancelled. For one
    /// caller at a time.
    func next() async -> CheckRequest? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isOver, check) = state.withLock { state -> (Bool, CheckRequest?) in
                    if state.isClosed || Task.isCancelled { return (true, nil) }
                    if let check = state.waiting.popFirst() { return (true, check) }
                    state.taker = continuation
                    return (false, nil)
                }
                if isOver { continuation.resume(returning: check) }
            }
        } onCancel: {
            takeTaker()?.resume(returning: nil)
        }
    }

    /// What waits stays unanswered, and nothing more is taken.
    func close() {
        let taker = state.withLock { state in
            state.isClosed = true
            state.waiting = []
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: nil)
    }

    private func takeTaker() -> CheckedContinuation<CheckRequest?, Never>? {
        state.withLock { state in
            defer { state.taker = nil }
            return state.taker
        }
    }
}
