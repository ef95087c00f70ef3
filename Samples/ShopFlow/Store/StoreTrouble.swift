import Escrow
import GRDB

extension FlowError {
    /// What a failure of the store's files means to whoever runs the flow; nil for any other error.
    init?(_ error: any Error, store: String) {
        switch error {
        case let error as DatabaseError:
            self.init(error.resultCode, error.message ?? "no cause is known", store)
        case let error as EscrowError:
            if let cause = error.cause as? DatabaseError {
                self.init(cause, store: store)
            } else if error.code == .databaseFull {
                self.init(.SQLITE_FULL, error.message, store)
            } else if error.code == .databaseFailed {
                self.init(.SQLITE_IOERR, error.message, store)
            } else {
                return nil
            }
        default: return nil
        }
    }

    private init?(_ result: ResultCode, _ cause: String, _ store: String) {
        switch result {
        case .SQLITE_FULL:
            self.init(
                .storeFull, "The disk of the store \(store) is full (\(cause)): free some space and run it again.")
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(
                .storeFailed,
                "The store \(store) cannot be read or written (\(cause)): look at the disk and whether the files are "
                    + "there.")
        default: return nil
        }
    }
}
