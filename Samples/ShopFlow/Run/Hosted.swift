import Escrow
import ServiceLifecycle
import Synchronization

/// A service that can be stopped without drain and started again on the same database, as a crash would do it.
final class Hosted<Running: Service>: Sendable {
    private struct State {
        var service: Running
        var task: Task<Void, any Error>?
        var isInterrupted = false
    }

    private let make: @Sendable () throws -> Running
    private let state: Mutex<State>

    init(_ make: @escaping @Sendable () throws -> Running) throws {
        self.make = make
        state = Mutex(State(service: try make()))
    }

    /// The one that runs now, or ran last.
    var service: Running { state.withLock { $0.service } }

    /// Cancels the service; ``run()`` makes a new one.
    func interrupt() {
        let task = state.withLock { state in
            state.isInterrupted = true
            return state.task
        }
        task?.cancel()
    }

    /// The database may be busy for longer than the service waits for it.
    private func makeNext() throws -> Running {
        while true {
            do {
                return try make()
            } catch let error as EscrowError where error.code == .databaseBusy {
                try Task.checkCancellation()
            }
        }
    }

    /// Runs the service, and each that follows it, until the task is cancelled.
    func run() async throws {
        while !Task.isCancelled {
            let service = service
            // Unstructured on purpose: an interruption ends it and not this task.
            let task = Task { try await service.run() }
            let isInterrupted = state.withLock { state in
                state.task = task
                return state.isInterrupted
            }
            if isInterrupted { task.cancel() }
            let result = await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                task.cancel()
            }
            guard state.withLock({ $0.isInterrupted }), !Task.isCancelled else {
                if !Task.isCancelled { try result.get() }
                return
            }
            let next = try makeNext()
            state.withLock { state in
                state.service = next
                state.isInterrupted = false
            }
        }
    }
}
