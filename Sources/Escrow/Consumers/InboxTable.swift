import GRDB
import MQProtocol

/// The rows of the inbox and the counts of failed attempts; see `inbox.sql`.
enum InboxTable {
    enum Entry: Sendable, Equatable {
        case entered
        /// Its effect has happened.
        case handled
        /// Given up before: a dead letter that is open to a redrive.
        case dead
    }

    /// Comes first in the piece: two deliveries of one event that meet are put in order by SQLite.
    static func enter(_ db: Database, consumer: String, key: String, now: Timestamp) throws -> Entry {
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_inbox (consumer, idempotency_key, outcome, handled) VALUES (?, ?, 'done', ?)
                ON CONFLICT (consumer, idempotency_key) DO NOTHING
                """
        ).execute(arguments: [consumer, key, now.milliseconds])
        if db.changesCount > 0 { return .entered }
        let statement = try db.cachedStatement(
            sql: "SELECT outcome FROM escrow_inbox WHERE consumer = ? AND idempotency_key = ?")
        return try String.fetchOne(statement, arguments: [consumer, key]) == "dead" ? .dead : .handled
    }

    static func record(
        _ db: Database, consumer: String, key: String, outcome: String, reason: String?, now: Timestamp
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_inbox (consumer, idempotency_key, outcome, reason, handled) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (consumer, idempotency_key)
                DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, handled = excluded.handled
                """
        ).execute(arguments: [consumer, key, outcome, reason, now.milliseconds])
    }

    static func forgetDead(_ db: Database, consumer: String, key: String) throws {
        try db.execute(
            sql: "DELETE FROM escrow_inbox WHERE consumer = ? AND idempotency_key = ? AND outcome = 'dead'",
            arguments: [consumer, key])
    }

    // MARK: Attempts

    /// - Returns: the attempts that have failed, this one included.
    static func addAttempt(
        _ db: Database, consumer: String, key: String, reason: String, now: Timestamp
    ) throws -> Int {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO escrow_attempt (consumer, idempotency_key, attempts, reason, first_failed, last_failed)
                VALUES (?1, ?2, 1, ?3, ?4, ?4)
                ON CONFLICT (consumer, idempotency_key)
                DO UPDATE SET attempts = attempts + 1, reason = excluded.reason, last_failed = excluded.last_failed
                RETURNING attempts
                """)
        return try Int.fetchOne(statement, arguments: [consumer, key, reason, now.milliseconds]) ?? 1
    }

    /// The next attempt is not made before: kept, so that a restart or a pause that is cut short does not bring it
    /// forward.
    static func postpone(_ db: Database, consumer: String, key: String, until time: Timestamp) throws {
        try db.cachedStatement(
            sql: "UPDATE escrow_attempt SET not_before = ?3 WHERE consumer = ?1 AND idempotency_key = ?2"
        ).execute(arguments: [consumer, key, time.milliseconds])
    }

    /// How long the next attempt has to wait; nil when it may be made.
    static func pause(_ db: Database, consumer: String, key: String, now: Timestamp) throws -> Duration? {
        let statement = try db.cachedStatement(
            sql: "SELECT not_before FROM escrow_attempt WHERE consumer = ? AND idempotency_key = ?")
        guard let time = try Int64.fetchOne(statement, arguments: [consumer, key]), time > now.milliseconds else {
            return nil
        }
        return now.duration(to: Timestamp(milliseconds: time))
    }

    static func clearAttempts(_ db: Database, consumer: String, key: String) throws {
        try db.cachedStatement(sql: "DELETE FROM escrow_attempt WHERE consumer = ? AND idempotency_key = ?")
            .execute(arguments: [consumer, key])
    }

    static func hasAttempts(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM escrow_attempt)") ?? false
    }
}
