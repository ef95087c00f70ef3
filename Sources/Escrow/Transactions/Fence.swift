import Foundation
import GRDB
import MQClient
import MQProtocol

/// The rows from which verdicts are read; see `fence.sql`.
enum Fence {
    /// What the first statement of a transaction found.
    enum Entry: Sendable {
        case entered
        /// A check-back was answered with rollback: the body must not run.
        case fenced
        /// A call with the same idempotency key committed before, with this result.
        case earlier(TransactionID, Data?)
    }

    /// A plain INSERT and nothing before it: two that meet are put in order by SQLite.
    static func enter(
        _ db: Database, _ id: TransactionID, kind: String, key: String?, now: Timestamp
    ) throws -> Entry {
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_fence (id, verdict, kind, idempotency_key, decided) VALUES (?, 'commit', ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [id.bytes, kind, key, now.milliseconds])
        if db.changesCount > 0 { return .entered }
        if let key, let (id, result) = try earlier(db, kind: kind, key: key) { return .earlier(id, result) }
        return .fenced
    }

    /// The transaction that committed with this key, and its result.
    static func earlier(_ db: Database, kind: String, key: String) throws -> (TransactionID, Data?)? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT id, result FROM escrow_fence WHERE kind = ? AND idempotency_key = ?"),
            arguments: [kind, key])
        guard let row, let id = TransactionID(row["id"]) else { return nil }
        return (id, row["result"])
    }

    static func setResult(_ db: Database, _ id: TransactionID, _ result: Data) throws {
        try db.cachedStatement(sql: "UPDATE escrow_fence SET result = ? WHERE id = ?")
            .execute(arguments: [result, id.bytes])
    }

    /// A transaction without messages has nothing to wait for.
    static func acknowledge(_ db: Database, _ ids: [TransactionID], now: Timestamp) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE escrow_fence SET acknowledged = ? WHERE id IN (\(SQLChunk.placeholders))
                AND acknowledged IS NULL AND NOT EXISTS (SELECT 1 FROM escrow_outbox WHERE fence = escrow_fence.id)
                """)
        try SQLChunk.forEach(ids.map(\.bytes)) { ids in
            try statement.execute(arguments: [now.milliseconds] + StatementArguments(ids))
        }
    }

    /// When the last of its messages left; nil before.
    static func acknowledged(_ db: Database, _ id: TransactionID) throws -> Timestamp? {
        let statement = try db.cachedStatement(sql: "SELECT acknowledged FROM escrow_fence WHERE id = ?")
        return try Int64.fetchOne(statement, arguments: [id.bytes]).map(Timestamp.init(milliseconds:))
    }

    static func verdict(_ db: Database, _ id: TransactionID) throws -> Verdict? {
        let text = try String.fetchOne(
            db.cachedStatement(sql: "SELECT verdict FROM escrow_fence WHERE id = ?"), arguments: [id.bytes])
        return text.flatMap(Verdict.init(rawValue:))
    }

    /// The answer to a check-back: what the fence says, or rollback for good, by a fence of its own.
    static func decide(_ db: Database, _ id: TransactionID, kind: String, now: Timestamp) throws -> Verdict {
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_fence (id, verdict, kind, decided, acknowledged) VALUES (?1, 'rollback', ?2, ?3, ?3)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [id.bytes, kind, now.milliseconds])
        if db.changesCount > 0 { return .rollback }
        return try verdict(db, id) ?? .unknown
    }
}
