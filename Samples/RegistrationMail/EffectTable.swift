import GRDB
import MQProtocol

/// Something that happens outside the database.
struct Effect: Sendable, Equatable {
    enum Kind: String, Sendable, DatabaseValueConvertible {
        case mail, sms
    }

    /// Never used twice: also the name by which a receiver can tell a repetition.
    var id: Int64
    var kind: Kind
    var address: String
    var name: String
    var phone: String?
    /// This one included.
    var attempts: Int
}

/// The rows of effects; see `registration.sql`.
enum EffectTable {
    static func plan(_ db: Database, _ kind: Effect.Kind, for address: String, now: Timestamp) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO effect (address, kind, state, not_before) VALUES (?, ?, 'planned', ?)
                ON CONFLICT (address, kind) DO NOTHING
                """
        ).execute(arguments: [address, kind, now.milliseconds])
    }

    /// Takes what is due, oldest first; the rows say `attempted` when this commits, before anything happens.
    static func attempt(_ db: Database, limit: Int, now: Timestamp) throws -> [Effect] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT effect.id, effect.kind, effect.address, account.name, account.phone, effect.attempts
                FROM effect JOIN account USING (address)
                WHERE effect.state = 'planned' AND effect.not_before <= ? ORDER BY effect.id LIMIT ?
                """)
        let effects = try Row.fetchAll(statement, arguments: [now.milliseconds, limit]).map { row in
            Effect(
                id: row[0], kind: row[1], address: row[2], name: row[3], phone: row[4],
                attempts: (row[5] as Int) + 1)
        }
        for effect in effects {
            try db.cachedStatement(
                sql: "UPDATE effect SET state = 'attempted', attempts = attempts + 1 WHERE id = ?"
            ).execute(arguments: [effect.id])
        }
        return effects
    }

    static func sent(_ db: Database, _ id: Int64, now: Timestamp) throws {
        try db.cachedStatement(
            sql: "UPDATE effect SET state = 'sent', reason = NULL, ended = ? WHERE id = ? AND state = 'attempted'"
        ).execute(arguments: [now.milliseconds, id])
    }

    /// It certainly did not happen, and is tried again.
    static func failed(_ db: Database, _ id: Int64, reason: String?, notBefore: Timestamp) throws {
        try db.cachedStatement(
            sql: """
                UPDATE effect SET state = 'planned', reason = ?, not_before = ? WHERE id = ? AND state = 'attempted'
                """
        ).execute(arguments: [reason, notBefore.milliseconds, id])
    }

    static func unknown(_ db: Database, _ id: Int64, reason: String, now: Timestamp) throws {
        try db.cachedStatement(
            sql: "UPDATE effect SET state = 'unknown', reason = ?, ended = ? WHERE id = ? AND state = 'attempted'"
        ).execute(arguments: [reason, now.milliseconds, id])
    }

    /// Attempts that an earlier process began and did not end.
    static func interrupted(_ db: Database, _ kind: Effect.Kind) throws -> [Int64] {
        try Int64.fetchAll(
            db, sql: "SELECT id FROM effect WHERE state = 'attempted' AND kind = ?", arguments: [kind])
    }

    /// When the next one is due; nil when none is planned.
    static func nextDue(_ db: Database) throws -> Timestamp? {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(not_before) FROM effect WHERE state = 'planned'"))
            .map(Timestamp.init(milliseconds:))
    }
}
