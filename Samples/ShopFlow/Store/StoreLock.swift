import GRDB

/// Keeps a second process from running on the same store. It goes with the process, however that ends.
struct StoreLock: Sendable {
    private let queue: DatabaseQueue

    /// - Throws: ``FlowError/Code/storeLocked``.
    init(_ path: String) throws {
        do {
            var configuration = Configuration()
            configuration.busyMode = .immediateError
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                // The lock of the first write is kept until the connection is closed.
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                try db.execute(sql: "PRAGMA user_version = 1")
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw FlowError(
                .storeLocked, "Another process runs on this store: wait for its end, or name another --store.")
        }
    }

    func release() throws {
        try queue.close()
    }
}
