public import Foundation
import GRDB
public import MQProtocol

/// A message that was given up on.
public struct DeadLetter: Sendable, Identifiable {
    public enum State: String, Sendable {
        /// Waits for somebody to decide.
        case open
        /// Will be handled again by the running service.
        case wanted
        case redriven
        case discarded
    }

    public var id: Int64
    /// Who could not handle it; `outbox:TOPIC/EVENT` for one that no broker takes.
    public var consumer: String
    public var idempotencyKey: String
    public var orderingKey: String?
    public var topic: String
    /// The name of the event.
    public var event: String
    public var body: Data
    /// What the last attempt threw.
    public var reason: String
    public var attempts: Int
    public var born: Timestamp
    public var failed: Timestamp
    public var state: State
    /// How often it was handled again.
    public var redrives: Int
}

/// The dead letters of a database.
public struct DeadLetters: Sendable {
    let writer: Writer
    let alarm: Alarm

    /// Oldest first.
    ///
    /// - Parameter consumer: nil for all.
    public func list(
        consumer: String? = nil, state: DeadLetter.State? = .open, limit: Int = 1000
    ) async throws -> [DeadLetter] {
        try await writer.read { db in
            try DeadLetterTable.list(db, consumer: consumer, state: state, limit: limit)
        }
    }

    /// Handles open letters again, oldest first; of one ordering key in order, and after a failure no further.
    ///
    /// - Parameters:
    ///   - ids: nil for all.
    ///   - consumer: nil for all.
    /// - Returns: how many letters were open and will be handled, now or when the service runs.
    @discardableResult
    public func redrive(_ ids: [Int64]? = nil, consumer: String? = nil) async throws -> Int {
        let count = try await writer.perform { db, _ in try DeadLetterTable.want(db, ids: ids, consumer: consumer) }
        alarm.ring()
        return count
    }

    /// Closes open letters without handling them. They stay listed as discarded for a while.
    ///
    /// - Returns: how many were open.
    @discardableResult
    public func discard(_ ids: [Int64]? = nil, consumer: String? = nil) async throws -> Int {
        try await writer.perform { db, context in
            try DeadLetterTable.discard(db, ids: ids, consumer: consumer, now: context.now)
        }
    }
}

extension DeadLetterTable {
    static func list(
        _ db: Database, consumer: String?, state: DeadLetter.State?, limit: Int
    ) throws -> [DeadLetter] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM escrow_dead_letter
                WHERE (?1 IS NULL OR consumer = ?1) AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3
                """,
            arguments: [consumer, state?.rawValue, limit])
        return rows.map(letter)
    }

    static func letter(_ db: Database, _ id: DeadLetter.ID) throws -> DeadLetter? {
        try Row.fetchOne(db, sql: "SELECT * FROM escrow_dead_letter WHERE id = ?", arguments: [id]).map(letter)
    }

    private static func letter(_ row: Row) -> DeadLetter {
        DeadLetter(
            id: row["id"], consumer: row["consumer"], idempotencyKey: row["idempotency_key"],
            orderingKey: row["ordering_key"], topic: row["topic"], event: row["tag"], body: row["body"],
            reason: row["reason"], attempts: row["attempts"], born: Timestamp(milliseconds: row["born"]),
            failed: Timestamp(milliseconds: row["failed"]),
            state: DeadLetter.State(rawValue: row["state"]) ?? .open, redrives: row["redrives"])
    }
}
