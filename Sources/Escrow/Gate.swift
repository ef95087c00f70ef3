import Synchronization

/// A value that is there only while something runs; whoever asks before waits for it.
final class Gate<Value: Sendable>: Sendable {
    private enum State {
        case closed([UInt64: CheckedContinuation<Value?, Never>])
        case open(Value)
        case shut
    }

    private let state = Mutex((state: State.closed([:]), last: UInt64(0)))

    func open(_ value: Value) {
        let waiting = state.withLock { current -> [UInt64: CheckedContinuation<Value?, Never>] in
            defer { current.state = .open(value) }
            if case .closed(let waiting) = current.state { return waiting }
            return [:]
        }
        for continuation in waiting.values { continuation.resume(returning: value) }
    }

    func shut() {
        let waiting = state.withLock { current -> [UInt64: CheckedContinuation<Value?, Never>] in
            defer { current.state = .shut }
            if case .closed(let waiting) = current.state { return waiting }
            return [:]
        }
        for continuation in waiting.values { continuation.resume(returning: nil) }
    }

    var current: Value? {
        state.withLock { if case .open(let value) = $0.state { value } else { nil } }
    }

    /// Nil when the gate was shut, or the task is cancelled.
    func value() async -> Value? {
        if let value = current { return value }
        let id = state.withLock { current in
            current.last += 1
            return current.last
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { current -> Value?? in
                    switch current.state {
                    case .open(let value): return .some(value)
                    case .shut: return .some(nil)
                    case .closed(var waiting):
                        if Task.isCancelled { return .some(nil) }
                        waiting[id] = continuation
                        current.state = .closed(waiting)
                        return nil
                    }
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let continuation = state.withLock { current -> CheckedContinuation<Value?, Never>? in
                guard case .closed(var waiting) = current.state else { return nil }
                defer { current.state = .closed(waiting) }
                return waiting.removeValue(forKey: id)
            }
            continuation?.resume(returning: nil)
        }
    }
}
