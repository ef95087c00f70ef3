import Foundation
import GRDB
import MQProtocol
import Schema

/// Escrow's tables in the user's database: made, checked, and identified.
struct EscrowDatabase: Sendable {
    /// Made with the tables and never changed; 32 hexadecimal digits.
    var identity: String

    /// The absolute path of its file.
    var path: String

    /// Where an embedded broker keeps its messages when nothing else is said: beside the file, because what was
    /// published from it has left its tables.
    var brokerDirectory: String { "\(path)-broker" }

    /// The version of the tables this code reads and writes.
    private static let version = Schema.versions.count

    /// How long a writer waits for another process's lock.
    static let busyTimeout = Duration.seconds(5)

    /// Makes missing tables and sets what the guarantees need.
    ///
    /// - Throws: ``EscrowError/Code/databaseUnsuitable``, ``EscrowError/Code/databaseBusy`` and the other codes of
    ///   databases.
    static func open(_ database: any DatabaseWriter, time: TimeSource) throws(EscrowError) -> EscrowDatabase {
        do {
            return try database.writeWithoutTransaction { db in
                try prepare(db)
                try db.inTransaction(.immediate) {
                    try migrate(db, now: time.now())
                    return .commit
                }
                let identity = try Data.fetchOne(db, sql: "SELECT identity FROM escrow_identity")
                guard let identity, identity.count == 16 else {
                    throw unsuitable("its identity is missing: the tables of Escrow were tampered with.")
                }
                let path = try String.fetchOne(db, sql: "SELECT file FROM pragma_database_list WHERE name = 'main'")
                guard let path, !path.isEmpty else { throw unsuitable("it is in no file.") }
                return EscrowDatabase(identity: identity.hexadecimal, path: path)
            }
        } catch let error as EscrowError {
            throw error
        } catch {
            throw DatabaseTrouble(error)?.error
                ?? EscrowError(.databaseFailed, "Escrow's tables could not be made: \(error)", cause: error)
        }
    }

    /// GRDB opens a pool with `synchronous=NORMAL`, under which a power loss may take acknowledged transactions away.
    private static func prepare(_ db: Database) throws {
        try db.execute(sql: "PRAGMA busy_timeout = \(busyTimeout.components.seconds * 1000)")
        try db.execute(sql: "PRAGMA synchronous = FULL")
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? 0
        guard synchronous >= 2 else {
            throw unsuitable("PRAGMA synchronous is \(synchronous) and cannot be set to FULL.")
        }
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? ""
        guard journal == "wal" else {
            throw unsuitable("its journal mode is \(journal), not wal: open the file with a DatabasePool.")
        }
    }

    private static func migrate(_ db: Database, now: Timestamp) throws {
        try db.execute(
            sql: "CREATE TABLE IF NOT EXISTS escrow_schema (version INTEGER NOT NULL, made INTEGER NOT NULL) STRICT")
        let found = try Int.fetchOne(db, sql: "SELECT max(version) FROM escrow_schema") ?? 0
        guard found <= version else {
            throw unsuitable(
                "its Escrow tables have version \(found), this program knows \(version): use a newer program.")
        }
        guard found < version else { return }
        for sql in Schema.versions.dropFirst(found).joined() { try db.execute(sql: sql) }
        if found == 0 { try identify(db) }
        try db.execute(
            sql: "INSERT INTO escrow_schema (version, made) VALUES (?, ?)", arguments: [version, now.milliseconds])
    }

    private static func identify(_ db: Database) throws {
        var generator = SystemRandomNumberGenerator()
        let identity = Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
        try db.execute(sql: "INSERT INTO escrow_identity (only, identity) VALUES (1, ?)", arguments: [identity])
    }

    private static func unsuitable(_ reason: String) -> EscrowError {
        EscrowError(.databaseUnsuitable, "The database cannot be used: \(reason)")
    }
}
