import Synchronization

/// Wakes customers whose order may stand elsewhere now.
final class Decisions: Sendable {
    private struct State {
        var changed: Set<ExactText> = []
        var waiting: [ExactText: CheckedContinuation<Void, Never>] = [:]
        /// Who watches: changes of others are not kept.
        var watched: Set<ExactText> = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// From any thread.
    func changed(_ order: String) {
        let key = ExactText(order)
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if let waiting = state.waiting.removeValue(forKey: key) { return waiting }
            if state.watched.contains(key) { state.changed.insert(key) }
            return nil
        }
        waiting?.resume()
    }

    /// From now on no change of the order is missed by ``next(of:)``. One watcher for each order.
    func watch(_ order: String) {
        state.withLock { _ = $0.watched.insert(ExactText(order)) }
    }

    func unwatch(_ order: String) {
        let key = ExactText(order)
        state.withLock { state in
            state.watched.remove(key)
            state.changed.remove(key)
        }
    }

    /// Returns after a change that came later than the last return, or when the flow ends.
    func next(of order: String) async {
        let key = ExactText(order)
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.isClosed || state.changed.remove(key) != nil { return true }
                state.waiting[key] = continuation
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    /// Wakes everybody, now and later.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting.removeAll() }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }
}
