import Foundation
import GRDB
import MQProtocol

/// The rows of deadlines; see `deadline.sql`.
enum DeadlineTable {
    /// - Returns: the generation of the new arming.
    static func arm(
        _ db: Database, _ deadline: Deadline, due: Timestamp, _ context: GroupContext
    ) throws -> Int64 {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO escrow_deadline (name, key, generation, due, state, armed)
                VALUES (?1, ?2, 1, ?3, 'armed', ?4)
                ON CONFLICT (name, key) DO UPDATE SET generation = generation + 1, due = excluded.due, state = 'armed',
                    armed = excluded.armed, ended = NULL, retry = NULL
                RETURNING generation
                """)
        let generation = try Int64.fetchOne(
            statement, arguments: [deadline.name, deadline.key, due.milliseconds, context.now.milliseconds])
        guard let generation else { preconditionFailure("an upsert returns its row") }
        if generation > 1 { try forgetFailures(db, deadline, context) }
        return generation
    }

    /// - Returns: nil when it is not armed.
    static func extend(
        _ db: Database, _ deadline: Deadline, by delay: Duration, _ context: GroupContext
    ) throws -> (generation: Int64, due: Timestamp)? {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE escrow_deadline SET generation = generation + 1, due = due + ?3, retry = NULL
                WHERE name = ?1 AND key = ?2 AND state = 'armed' RETURNING generation, due
                """)
        let row = try Row.fetchOne(statement, arguments: [deadline.name, deadline.key, delay.wholeMilliseconds])
        guard let row else { return nil }
        try forgetFailures(db, deadline, context)
        return (row["generation"], Timestamp(milliseconds: row["due"]))
    }

    /// Attempts of one generation do not count for the next.
    private static func forgetFailures(_ db: Database, _ deadline: Deadline, _ context: GroupContext) throws {
        guard try context.attemptsExist(db) else { return }
        try InboxTable.clearAttempts(db, consumer: Firing.consumer(deadline.name), key: deadline.key)
    }

    static func cancel(
        _ db: Database, _ deadline: Deadline, _ context: GroupContext
    ) throws -> DeadlineCancellation {
        try db.cachedStatement(
            sql: """
                UPDATE escrow_deadline SET state = 'cancelled', ended = ?3
                WHERE name = ?1 AND key = ?2 AND state IN ('armed', 'dead')
                """
        ).execute(arguments: [deadline.name, deadline.key, context.now.milliseconds])
        if db.changesCount > 0 {
            try forgetFailures(db, deadline, context)
            return .cancelled
        }
        let statement = try db.cachedStatement(sql: "SELECT state FROM escrow_deadline WHERE name = ? AND key = ?")
        let state = try String.fetchOne(statement, arguments: [deadline.name, deadline.key])
        return state == "fired" ? .alreadyFired : .notArmed
    }

    /// What a ring finds.
    enum Found: Sendable, Equatable {
        /// It may fire now; the row says so already.
        case due(Timestamp)
        /// Armed, and not yet due: the rest is waited for.
        case early(Timestamp)
        /// Extended, cancelled, fired, or unknown.
        case stale
    }

    /// Takes a due deadline for firing: its row is `fired` when the handler commits.
    ///
    /// - Parameter generation: of the ring; nil for the sweeper, which takes the row as it is.
    static func fire(
        _ db: Database, _ deadline: Deadline, generation: Int64?, now: Timestamp
    ) throws -> (found: Found, generation: Int64) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT generation, due, retry FROM escrow_deadline WHERE name = ? AND key = ? AND state = 'armed'"
            ),
            arguments: [deadline.name, deadline.key])
        guard let row else { return (.stale, 0) }
        let current: Int64 = row["generation"]
        if let generation, generation != current { return (.stale, current) }
        let due = Timestamp(milliseconds: row["due"])
        if due > now { return (.early(due), current) }
        // Its handler failed lately: the sweeper tries again when it is time.
        if let retry = row["retry"] as Int64?, retry > now.milliseconds { return (.stale, current) }
        try db.cachedStatement(
            sql: "UPDATE escrow_deadline SET state = 'fired', ended = ?3, retry = NULL WHERE name = ?1 AND key = ?2"
        ).execute(arguments: [deadline.name, deadline.key, now.milliseconds])
        return (.due(due), current)
    }

    static func retry(_ db: Database, _ deadline: Deadline, at time: Timestamp) throws {
        try db.cachedStatement(
            sql: "UPDATE escrow_deadline SET retry = ?3 WHERE name = ?1 AND key = ?2 AND state = 'armed'"
        ).execute(arguments: [deadline.name, deadline.key, time.milliseconds])
    }

    static func giveUp(_ db: Database, _ deadline: Deadline, now: Timestamp) throws {
        try db.cachedStatement(
            sql: "UPDATE escrow_deadline SET state = 'dead', ended = ?3 WHERE name = ?1 AND key = ?2"
        ).execute(arguments: [deadline.name, deadline.key, now.milliseconds])
    }

    /// Takes a deadline that was given up for firing; nil when it has been armed anew or cancelled since.
    static func fireDead(_ db: Database, _ deadline: Deadline, now: Timestamp) throws -> DueDeadline? {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE escrow_deadline SET state = 'fired', ended = ?3
                WHERE name = ?1 AND key = ?2 AND state = 'dead' RETURNING generation, due
                """)
        let row = try Row.fetchOne(statement, arguments: [deadline.name, deadline.key, now.milliseconds])
        return row.map {
            DueDeadline(deadline: deadline, generation: $0["generation"], due: Timestamp(milliseconds: $0["due"]))
        }
    }

    /// Armed deadlines whose ring is missing, longest overdue first.
    ///
    /// - Parameter names: of those that have a handler here.
    static func overdue(
        _ db: Database, names: [String], before: Timestamp, now: Timestamp, limit: Int
    ) throws -> [Deadline] {
        let list = String(decoding: try JSONCodec.encoder.encode(names), as: UTF8.self)
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT name, key FROM escrow_deadline
                    WHERE state = 'armed' AND due <= ?2 AND (retry IS NULL AND due <= ?1 OR retry <= ?2)
                        AND name IN (SELECT value FROM json_each(?4))
                    ORDER BY due LIMIT ?3
                    """),
            arguments: [before.milliseconds, now.milliseconds, limit, list])
        return rows.map { Deadline($0["name"], for: $0["key"]) }
    }
}
