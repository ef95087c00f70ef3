import GRDB

/// A trouble of the database itself: never the fault of the message or call that met it.
enum DatabaseTrouble: Error, Sendable, CustomStringConvertible {
    /// Another process holds the write lock for longer than the busy timeout.
    case busy(String)
    case full(String)
    /// Input/output error, corruption, no memory, not a database: everything else that SQLite itself suffers.
    case failing(String)

    init?(_ error: any Error) {
        guard let error = error as? DatabaseError else {
            guard let trouble = error as? DatabaseTrouble else { return nil }
            self = trouble
            return
        }
        let text = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_BUSY: self = .busy(text)
        case .SQLITE_FULL: self = .full(text)
        case .SQLITE_IOERR, .SQLITE_CORRUPT, .SQLITE_NOMEM, .SQLITE_NOTADB, .SQLITE_INTERRUPT, .SQLITE_PROTOCOL:
            self = .failing(text)
        // The rest is, or may be, a mistake in a statement of the handler: its own failure, which has an end.
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .busy(let text): "another process holds the database's write lock: \(text)"
        case .full(let text): "no space is left for the database: \(text)"
        case .failing(let text): "the database fails: \(text)"
        }
    }

    var error: EscrowError {
        switch self {
        case .busy:
            EscrowError(.databaseBusy, "\(description). Nothing was written; try again.", cause: self)
        case .full:
            EscrowError(.databaseFull, "\(description). Nothing was written; free some space.", cause: self)
        case .failing:
            EscrowError(.databaseFailed, "\(description). Look at the disk and the file.", cause: self)
        }
    }
}
