import Foundation
public import GRDB
public import MQProtocol

/// What a service's database says, read without running the service: for tools and for a person who asks why.
///
/// ```swift
/// let inspection = Inspection(try DatabaseQueue(path: file))
/// for item in try await inspection.inDoubt() { print(item) }
/// ```
public struct Inspection: Sendable {
    let database: any DatabaseReader

    /// - Parameter database: may be opened read-only.
    public init(_ database: any DatabaseReader) {
        self.database = database
    }

    /// False for a database that Escrow has not been opened on.
    public func hasTables() async throws -> Bool {
        try await database.read { try $0.tableExists("escrow_identity") }
    }

    /// The random identity of the database, 32 hexadecimal digits.
    public func identity() async throws -> String {
        let data = try await database.read { try Data.fetchOne($0, sql: "SELECT identity FROM escrow_identity") }
        return (data ?? Data()).hexadecimal
    }

    // MARK: In doubt

    /// Something whose end a broker or this database does not know yet.
    public struct InDoubt: Sendable, Hashable {
        public enum State: String, Sendable {
            /// Committed; a broker has not acknowledged the verdict of its half message.
            case verdictUnacknowledged
            /// Committed; a message has not been acknowledged by its broker.
            case messageUnsent
            /// A broker asked for a verdict that nobody here can give.
            case unresolved
        }

        public var state: State
        public var topic: String
        /// The event's name; empty for check-backs.
        public var event: String
        /// The idempotency key, or the message id of a check-back.
        public var key: String
        public var since: Timestamp
        /// Why, where that is known.
        public var reason: String
    }

    /// Oldest first.
    public func inDoubt(limit: Int = 1000) async throws -> [InDoubt] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT CASE WHEN half IS NULL THEN 'messageUnsent' ELSE 'verdictUnacknowledged' END AS state,
                        topic, tag, idempotency_key AS key, created AS since, '' AS reason FROM escrow_outbox
                    UNION ALL
                    SELECT 'unresolved', topic, '', message_id, first_asked,
                        reason || ' (asked ' || asked || ' times)' FROM escrow_unresolved
                    ORDER BY since LIMIT ?
                    """,
                arguments: [limit])
            return rows.map { row in
                InDoubt(
                    state: InDoubt.State(rawValue: row["state"]) ?? .unresolved, topic: row["topic"],
                    event: row["tag"], key: row["key"], since: Timestamp(milliseconds: row["since"]),
                    reason: row["reason"])
            }
        }
    }

    // MARK: Deadlines

    public struct DeadlineRow: Sendable, Hashable {
        public enum State: String, Sendable, CaseIterable {
            case armed, fired, cancelled
            /// Its handler was given up on: a dead letter.
            case dead
        }

        public var deadline: Deadline
        public var generation: Int64
        public var due: Timestamp
        public var state: State
        public var armed: Timestamp
        /// When it fired, was cancelled or given up.
        public var ended: Timestamp?
    }

    /// In the order of their due times.
    ///
    /// - Parameters:
    ///   - state: nil for all.
    ///   - name: nil for all.
    public func deadlines(
        _ state: DeadlineRow.State? = .armed, name: String? = nil, limit: Int = 1000
    ) async throws -> [DeadlineRow] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM escrow_deadline
                    WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR name = ?2) ORDER BY due LIMIT ?3
                    """,
                arguments: [state?.rawValue, name, limit])
            return rows.map { row in
                DeadlineRow(
                    deadline: Deadline(row["name"], for: row["key"]), generation: row["generation"],
                    due: Timestamp(milliseconds: row["due"]),
                    state: DeadlineRow.State(rawValue: row["state"]) ?? .armed,
                    armed: Timestamp(milliseconds: row["armed"]),
                    ended: (row["ended"] as Int64?).map(Timestamp.init(milliseconds:)))
            }
        }
    }

    // MARK: Inbox

    public struct InboxRow: Sendable, Hashable {
        public var consumer: String
        public var key: String
        /// `done`, `late`, `ignored` or `dead`.
        public var outcome: String
        public var reason: String?
        public var handled: Timestamp
    }

    /// Latest first.
    ///
    /// - Parameters:
    ///   - consumer: nil for all.
    ///   - key: one idempotency key; nil for all.
    public func inbox(consumer: String? = nil, key: String? = nil, limit: Int = 100) async throws -> [InboxRow] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM escrow_inbox
                    WHERE (?1 IS NULL OR consumer = ?1) AND (?2 IS NULL OR idempotency_key = ?2)
                    ORDER BY sequence DESC LIMIT ?3
                    """,
                arguments: [consumer, key, limit])
            return rows.map { row in
                InboxRow(
                    consumer: row["consumer"], key: row["idempotency_key"], outcome: row["outcome"],
                    reason: row["reason"], handled: Timestamp(milliseconds: row["handled"]))
            }
        }
    }

    public struct InboxTotal: Sendable, Hashable {
        public var consumer: String
        public var outcome: String
        public var count: Int
    }

    /// How much each consumer has handled and remembers.
    public func inboxTotals() async throws -> [InboxTotal] {
        try await database.read { db in
            let sql = """
                SELECT consumer, outcome, count(*) AS count FROM escrow_inbox GROUP BY consumer, outcome
                ORDER BY consumer, outcome
                """
            return try Row.fetchAll(db, sql: sql).map { row in
                InboxTotal(consumer: row["consumer"], outcome: row["outcome"], count: row["count"])
            }
        }
    }

    // MARK: Dead letters and totals

    /// Oldest first.
    public func deadLetters(
        consumer: String? = nil, state: DeadLetter.State? = .open, limit: Int = 1000
    ) async throws -> [DeadLetter] {
        try await database.read { db in
            try DeadLetterTable.list(db, consumer: consumer, state: state, limit: limit)
        }
    }

    /// Nil when it was never there, or is purged.
    public func deadLetter(_ id: DeadLetter.ID) async throws -> DeadLetter? {
        try await database.read { try DeadLetterTable.letter($0, id) }
    }

    /// Totals since the database was made, by name; absent is none.
    public func totals() async throws -> [String: Int64] {
        try await database.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT name, value FROM escrow_counter")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["name"], $0["value"]) })
        }
    }
}

/// Decisions on dead letters from outside the running service, which carries them out: at once when it runs, else at
/// its next start.
extension Inspection {
    /// - Returns: how many open letters will be handled again.
    public static func redrive(
        _ database: any DatabaseWriter, _ ids: [Int64]?, consumer: String?
    ) async throws -> Int {
        try await database.write { try DeadLetterTable.want($0, ids: ids, consumer: consumer) }
    }

    /// - Returns: how many open letters were closed.
    public static func discard(
        _ database: any DatabaseWriter, _ ids: [Int64]?, consumer: String?, now: Timestamp
    ) async throws -> Int {
        try await database.write { try DeadLetterTable.discard($0, ids: ids, consumer: consumer, now: now) }
    }
}
