import Foundation
import GRDB
import MQProtocol

/// The rows of dead letters; see `deadLetter.sql`.
enum DeadLetterTable {
    /// What is needed to handle a message again.
    struct Letter: Sendable, Equatable {
        var consumer: String
        var idempotencyKey: String
        var orderingKey: String?
        var topic: String
        var tag: String
        var body: Data
        var messageID: String
        var born: Timestamp
        /// ``TraceHeaders/text`` of where the message was published.
        var trace: String?
    }

    static func insert(
        _ db: Database, _ letter: Letter, reason: String, attempts: Int, now: Timestamp
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_dead_letter (consumer, idempotency_key, ordering_key, topic, tag, body, message_id,
                    reason, attempts, born, failed, trace, state)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')
                ON CONFLICT (consumer, idempotency_key) WHERE state IN ('open', 'wanted')
                DO UPDATE SET reason = excluded.reason, attempts = attempts + excluded.attempts,
                    message_id = excluded.message_id, trace = excluded.trace, failed = excluded.failed, state = 'open'
                """
        ).execute(arguments: [
            letter.consumer, letter.idempotencyKey, letter.orderingKey, letter.topic, letter.tag, letter.body,
            letter.messageID, reason, attempts, letter.born.milliseconds, now.milliseconds,
            letter.trace,
        ])
    }

    /// Letters that somebody wants handled again, oldest first.
    static func wanted(_ db: Database, limit: Int) throws -> [(id: Int64, letter: Letter)] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, consumer, idempotency_key, ordering_key, topic, tag, body, message_id, born, trace
                FROM escrow_dead_letter WHERE state = 'wanted' ORDER BY id LIMIT ?
                """)
        return try Row.fetchAll(statement, arguments: [limit]).map { row in
            (
                row[0],
                Letter(
                    consumer: row[1], idempotencyKey: row[2], orderingKey: row[3], topic: row[4], tag: row[5],
                    body: row[6], messageID: row[7], born: Timestamp(milliseconds: row[8]), trace: row[9])
            )
        }
    }

    static func redriven(_ db: Database, _ id: Int64, now: Timestamp) throws {
        try db.execute(
            sql: """
                UPDATE escrow_dead_letter SET state = 'redriven', ended = ?, redrives = redrives + 1
                WHERE id = ? AND state = 'wanted'
                """,
            arguments: [now.milliseconds, id])
    }

    /// The letter is open again, and so are the later ones of its ordering key: their turn comes after it. Not when
    /// another process has handled it, or somebody has discarded it, since it was read.
    static func failedAgain(_ db: Database, _ id: Int64, reason: String, now: Timestamp) throws {
        try db.execute(
            sql: """
                UPDATE escrow_dead_letter SET state = 'open', reason = ?, failed = ?, attempts = attempts + 1,
                    redrives = redrives + 1 WHERE id = ? AND state = 'wanted'
                """,
            arguments: [reason, now.milliseconds, id])
        guard db.changesCount > 0 else { return }
        try db.execute(
            sql: """
                UPDATE escrow_dead_letter SET state = 'open' WHERE state = 'wanted' AND id > ?1
                AND (consumer, ordering_key) = (SELECT consumer, ordering_key FROM escrow_dead_letter WHERE id = ?1)
                """,
            arguments: [id])
    }

    static func isWanted(_ db: Database, _ id: Int64) throws -> Bool {
        try String.fetchOne(db, sql: "SELECT state FROM escrow_dead_letter WHERE id = ?", arguments: [id]) == "wanted"
    }

    /// - Parameter ids: nil for every open letter of the consumer; with nil for the consumer too, every one.
    /// - Returns: how many were open.
    static func want(_ db: Database, ids: [Int64]?, consumer: String?) throws -> Int {
        try change(db, to: "wanted", ids: ids, consumer: consumer, ended: nil)
    }

    static func discard(_ db: Database, ids: [Int64]?, consumer: String?, now: Timestamp) throws -> Int {
        try change(db, to: "discarded", ids: ids, consumer: consumer, ended: now)
    }

    private static func change(
        _ db: Database, to state: String, ids: [Int64]?, consumer: String?, ended: Timestamp?
    ) throws -> Int {
        var sql = "UPDATE escrow_dead_letter SET state = ?, ended = ? WHERE state = 'open'"
        var arguments: StatementArguments = [state, ended?.milliseconds]
        if let consumer {
            sql += " AND consumer = ?"
            arguments += [consumer]
        }
        guard let ids else {
            try db.execute(sql: sql, arguments: arguments)
            return db.changesCount
        }
        var changed = 0
        for id in ids {
            try db.execute(sql: sql + " AND id = ?", arguments: arguments + [id])
            changed += db.changesCount
        }
        return changed
    }
}
