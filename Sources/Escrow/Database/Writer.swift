import GRDB
import MQProtocol
import Synchronization

/// The one writer of a database: puts what many callers want to write into few SQLite transactions.
///
/// While one transaction runs, pieces gather; together they are the next one. With `synchronous=FULL` that turns one
/// disk flush per piece into one per group, and costs a lone piece nothing.
final class Writer: Sendable {
    let database: any DatabaseWriter
    let time: TimeSource
    let steps: StepObserver
    let meters: Meters
    private let queue = Mutex(WriteQueue())
    private let listener = Mutex<Listener?>(nil)

    /// A function in a mutex of its own would be wrapped once more by each look at it.
    private struct Listener: Sendable {
        let tell: @Sendable (Published) -> Void
    }

    init(_ database: any DatabaseWriter, time: TimeSource, steps: StepObserver, meters: Meters) {
        self.database = database
        self.time = time
        self.steps = steps
        self.meters = meters
    }

    /// Called on the writer's thread after each commit that wrote to the outbox.
    func whenPublished(_ action: @escaping @Sendable (Published) -> Void) {
        listener.withLock { $0 = Listener(tell: action) }
    }

    func add(_ pieces: [Piece]) {
        guard queue.withLock({ $0.add(pieces) }) else { return }
        dispatch()
    }

    /// Reads on a connection of its own: nothing waits for the writer.
    ///
    /// - Throws: what `body` throws; for a trouble of the database its ``EscrowError``.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await database.read(body)
        } catch {
            throw DatabaseTrouble(error)?.error ?? error
        }
    }

    /// Runs `body` as a piece and waits for its commit. Cancelling the caller's task does not undo it.
    ///
    /// - Throws: what `body` throws, after its writes were undone; or ``WriterRefusal``.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (Database, GroupContext) throws -> Value
    ) async throws -> Value {
        let box = ValueBox<Value>()
        let result = await withCheckedContinuation { continuation in
            let piece = Piece(
                body: { db, context in
                    let made = try body(db, context)
                    box.set(made)
                },
                completion: { continuation.resume(returning: $0) })
            add([piece])
        }
        switch result {
        case .committed:
            guard let made = box.take() else { preconditionFailure("a committed piece has a value") }
            return made
        case .failed(let error): throw error
        case .refused(let trouble): throw WriterRefusal(trouble: trouble, isInDoubt: false)
        case .inDoubt(let trouble): throw WriterRefusal(trouble: trouble, isInDoubt: true)
        }
    }

    /// One group for each turn of the database's queue: the user's own writes get theirs in between.
    private func dispatch() {
        database.asyncWriteWithoutTransaction { [self] db in
            let group = queue.withLock { $0.takeGroup() }
            guard !group.isEmpty else { return }
            let runner = GroupRunner(db: db, time: time, steps: steps)
            let started = ContinuousClock.now
            let done = runner.run(group)
            meters.record(done.counts, lateness: done.lateness, group: started.duration(to: .now))
            queue.withLock { $0.putBack(group[done.results.count...]) }
            switch done.published {
            case .nothing: break
            case .rows, .unread: listener.withLock { $0 }?.tell(done.published)
            }
            for (piece, result) in zip(group, done.results) { piece.completion(result) }
            dispatch()
        }
    }
}

/// The database refused a piece; nothing happened, unless it is in doubt.
struct WriterRefusal: Error {
    var trouble: DatabaseTrouble
    var isInDoubt: Bool
}

/// Carries a value from the writer's thread to the task that waits.
private final class ValueBox<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func set(_ new: Value) {
        value.withLock { $0 = new }
    }

    func take() -> Value? {
        value.withLock { $0 }
    }
}
