import DequeModule
import Synchronization

/// What waits for a worker, first come, first served; and the workers that wait for something to do.
///
/// It has no limit of its own: whoever appends has one.
final class WorkList<Element: Sendable>: Sendable {
    private struct State {
        var elements = Deque<Element>()
        var waiters = Deque<(id: Int, continuation: CheckedContinuation<Element?, Never>)>()
        var lastID = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.elements.count } }

    func append(_ element: Element) {
        let waiter = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard !state.isClosed else { return nil }
            if let waiter = state.waiters.popFirst() { return waiter.continuation }
            state.elements.append(element)
            return nil
        }
        waiter?.resume(returning: element)
    }

    /// - Returns: nil once the list is closed, or when the task is cancelled.
    func next() async -> Element? {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (element, isOver) = state.withLock { state -> (Element?, Bool) in
                    if state.isClosed { return (nil, true) }
                    if let element = state.elements.popFirst() { return (element, true) }
                    state.waiters.append((id, continuation))
                    return (nil, false)
                }
                if isOver { continuation.resume(returning: element) }
                // A cancellation that came before the wait found nobody to wake.
                if Task.isCancelled { stopWaiting(id) }
            }
        } onCancel: {
            stopWaiting(id)
        }
    }

    /// Drops what waits and sends the workers home.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            state.elements.removeAll()
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }

    private func stopWaiting(_ id: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index).continuation
        }
        waiter?.resume(returning: nil)
    }
}
