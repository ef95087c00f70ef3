import GRDB

/// One piece of work for the database's writer: everything it writes stays, or nothing does.
struct Piece: Sendable {
    /// Runs inside a savepoint, on the writer's thread, perhaps more than once: when the SQLite transaction around it
    /// was lost, it runs again in one of its own.
    var body: @Sendable (Database, GroupContext) throws -> Void
    /// Runs after `body` threw and its writes were undone, in the same SQLite transaction: what must be remembered of a
    /// failure. What it throws replaces the error. Not called for troubles of the database.
    var afterFailure: (@Sendable (Database, GroupContext, any Error) throws -> Void)?
    /// Told once what became of the piece, on the writer's thread, after the commit.
    var completion: @Sendable (PieceResult) -> Void
}

/// What became of a piece.
enum PieceResult: Sendable {
    case committed
    /// The body threw; its writes were undone, and what `afterFailure` wrote is committed.
    case failed(any Error)
    /// The database could not do it; nothing happened.
    case refused(DatabaseTrouble)
    /// COMMIT failed in a way that leaves open whether the writes are there.
    case inDoubt(DatabaseTrouble)
}

/// Pieces that wait for the writer. Pure: the writer asks what to run and says when it did.
struct WriteQueue {
    /// Pieces of one SQLite transaction at most: beyond this a larger group saves little and delays the first.
    static let groupLimit = 64

    private var waiting: [Piece] = []
    private var next = 0
    private(set) var isRunning = false

    var count: Int { waiting.count - next }

    /// - Returns: whether the caller must start a run.
    mutating func add(_ pieces: [Piece]) -> Bool {
        waiting.append(contentsOf: pieces)
        guard !isRunning, count > 0 else { return false }
        isRunning = true
        return true
    }

    /// The pieces of the next group, in order of arrival; none ends the run.
    mutating func takeGroup() -> [Piece] {
        let end = min(waiting.count, next + Self.groupLimit)
        let group = Array(waiting[next..<end])
        next = end
        if next == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            next = 0
        } else if next > 4096 {
            waiting.removeFirst(next)
            next = 0
        }
        if group.isEmpty { isRunning = false }
        return group
    }

    /// Pieces of a group that was cut short come first in the next one.
    mutating func putBack(_ pieces: ArraySlice<Piece>) {
        guard !pieces.isEmpty else { return }
        waiting.replaceSubrange(0..<next, with: pieces)
        next = 0
    }
}
