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

/// The rows of effects; see `registration-failed.sql`.
enum EffectTable {
    static func plan(_ db: Database, _ kind: Effect.Kind, for address: String, now: Timestamp) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO effect (address, kind, state, not_before) VALUES (?, ?, 'planned', ?)
                ON CONFLICT (address, kind) DO NOTHING
                """
        ).execute(arguments: [address, kind, now.milliseconds])
    }

    /// Takes what is due, what has waited longest first, so that effects that fail again and again hold up no new one.
    /// When this commits, before anything happens, the rows say by whom.
    static func attempt(_ db: Database, by holder: String, limit: Int, now: Timestamp) throws -> [Effect] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT effect.id, effect.kind, effect.address, account.name, account.phone, effect.attempts
                FROM effect JOIN account USING (address)
                WHERE effect.state = 'planned' AND effect.not_before <= ?
                ORDER BY effect.not_before, effect.id LIMIT ?
                """)
        let effects = try Row.fetchAll(statement, arguments: [now.milliseconds, limit]).map { row in
            Effect(
                id: row[0], kind: row[1], address: row[2], name: row[3], phone: row[4],
                attempts: (row[5] as Int) + 1)
        }
        for effect in effects {
            try db.cachedStatement(
                sql: """
                    UPDATE effect SET state = 'attempted', attempts = attempts + 1, holder = ?2, attempted = ?3
                    WHERE id = ?1
                    """
            ).execute(arguments: [effect.id, holder, now.milliseconds])
        }
        return effects
    }

    /// Certain, so it holds whatever was thought of the row meanwhile.
    static func sent(_ db: Database, _ id: Int64, now: Timestamp) throws {
        try db.cachedStatement(
            sql: "UPDATE effect SET state = 'sent', reason = NULL, ended = ? WHERE id = ? AND state <> 'sent'"
        ).execute(arguments: [now.milliseconds, id])
    }

    /// It is tried again. Nothing when somebody else has the attempt now.
    static func planAgain(
        _ db: Database, _ id: Int64, by holder: String, reason: String, notBefore: Timestamp
    ) throws {
        try db.cachedStatement(
            sql: """
                UPDATE effect SET state = 'planned', reason = ?3, not_before = ?4
                WHERE id = ?1 AND state = 'attempted' AND holder = ?2
                """
        ).execute(arguments: [id, holder, reason, notBefore.milliseconds])
    }

    /// How an effect ends that nobody tries again.
    enum End: String, Sendable, DatabaseValueConvertible {
        /// It certainly did not happen.
        case failed
        /// Nobody can say.
        case unknown
    }

    /// Nothing when somebody else has the attempt now.
    static func giveUp(
        _ db: Database, _ id: Int64, by holder: String, as end: End, reason: String, now: Timestamp
    ) throws {
        try db.cachedStatement(
            sql: """
                UPDATE effect SET state = ?3, reason = ?4, ended = ?5
                WHERE id = ?1 AND state = 'attempted' AND holder = ?2
                """
        ).execute(arguments: [id, holder, end, reason, now.milliseconds])
    }

    /// An attempt that somebody began and did not end yet.
    struct Attempt: Sendable {
        var id: Int64
        var kind: Effect.Kind
        var holder: String
        var begun: Timestamp
    }

    static func attempts(_ db: Database) throws -> [Attempt] {
        let statement = try db.cachedStatement(
            sql: "SELECT id, kind, holder, attempted FROM effect WHERE state = 'attempted'")
        return try Row.fetchAll(statement).map { row in
            Attempt(id: row[0], kind: row[1], holder: row[2], begun: Timestamp(milliseconds: row[3]))
        }
    }
}
