import Synchronization

/// Who waits until the messages of a transaction are visible.
final class Receipts: Sendable {
    private struct State {
        var waiting: [TransactionID: [UInt64: CheckedContinuation<Void, any Error>]] = [:]
        var last: UInt64 = 0
        var isStopped = false
    }

    private let state = Mutex(State())

    /// Of the transactions somebody waits for.
    var fences: [TransactionID] {
        state.withLock { Array($0.waiting.keys) }
    }

    /// - Parameter look: called when the wait has begun: what is visible already is resolved there.
    /// - Throws: ``EscrowError/Code/stopped``; `CancellationError`; what ``fail(_:_:)`` is given.
    func wait(for fence: TransactionID, _ look: () -> Void) async throws {
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal = state.withLock { state -> (any Error)? in
                    if state.isStopped { return Self.stopped }
                    if Task.isCancelled { return CancellationError() }
                    state.waiting[fence, default: [:]][id] = continuation
                    return nil
                }
                if let refusal { return continuation.resume(throwing: refusal) }
                look()
            }
        } onCancel: {
            take(id, of: fence)?.resume(throwing: CancellationError())
        }
    }

    func fail(_ fence: TransactionID, _ error: EscrowError) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: fence) ?? [:] }
        for continuation in waiting.values { continuation.resume(throwing: error) }
    }

    func resolve(_ fences: some Sequence<TransactionID>) {
        let resumed = state.withLock { state in
            state.waiting.isEmpty ? [] : fences.compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for continuation in resumed.flatMap(\.values) { continuation.resume() }
    }

    func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            defer { state.waiting.removeAll() }
            return state.waiting.values.flatMap(\.values)
        }
        for continuation in waiting { continuation.resume(throwing: Self.stopped) }
    }

    private func take(_ id: UInt64, of fence: TransactionID) -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            defer { if state.waiting[fence]?.isEmpty ?? false { state.waiting[fence] = nil } }
            return state.waiting[fence]?.removeValue(forKey: id)
        }
    }

    private static let stopped = EscrowError(
        .stopped, "The service stopped. The transaction is committed; its messages leave at the next start.")
}
