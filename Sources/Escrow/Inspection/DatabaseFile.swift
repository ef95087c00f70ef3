import Foundation
import GRDB

/// A file that may be an SQLite database, opened so that nothing of it is changed.
enum DatabaseFile {
    /// What a database begins with; an empty file would become one when it is written.
    private static let beginning = Data("SQLite format 3\u{0}".utf8)

    /// Why a file is no database; nil when it looks like one. A pipe or a device is not opened.
    ///
    /// - Throws: an error of the file system.
    static func refusal(_ path: String) throws -> String? {
        let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        let type = try? FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType
        guard type == .typeRegular else { return "it is no regular file." }
        let handle = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? handle.close() }
        guard try handle.read(upToCount: beginning.count) == beginning else { return "it is no SQLite database." }
        return nil
    }

    /// Also reads what stands in a directory that cannot be written.
    ///
    /// - Throws: ``EscrowError/Code/databaseUnsuitable``; errors of the database.
    static func open(_ path: String) throws -> any DatabaseReader {
        do {
            return try open(path, configuration)
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CANTOPEN || error.resultCode == .SQLITE_READONLY
        {
            // SQLite makes PATH-shm where a write-ahead log may be in use. Without a log there is nothing to share, and
            // the file alone is all.
            guard isEmpty(path + "-wal") else {
                throw EscrowError(
                    .databaseUnsuitable,
                    "\(path) cannot be read: SQLite would make \(path)-shm to read \(path)-wal, and may not write "
                        + "there. Run this as the service's user, or copy both files to a directory of your own.",
                    cause: error)
            }
            return try open(immutable(path), configuration)
        }
    }

    private static func open(_ path: String, _ configuration: Configuration) throws -> any DatabaseReader {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // The first read tells whether it can be read at all.
        try queue.read { _ = try $0.tableExists("escrow_identity") }
        return queue
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        return configuration
    }

    private static func isEmpty(_ path: String) -> Bool {
        guard FileManager.default.fileExists(atPath: path) else { return true }
        guard let handle = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: 1))?.isEmpty ?? true
    }

    private static func immutable(_ path: String) -> String {
        let absolute = URL(filePath: path).absoluteURL.path(percentEncoded: true)
        return "file://\(absolute)?immutable=1"
    }
}
