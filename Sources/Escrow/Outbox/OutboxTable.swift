import Foundation
import GRDB
import MQClient
import MQProtocol

/// A message of a committed transaction that its broker has not acknowledged yet.
struct OutboxRow: Sendable, Equatable {
    var sequence: Int64
    var fence: TransactionID?
    var event: OutgoingEvent
    /// Its half message waits for the verdict; nil: the message itself is to be sent.
    var half: HalfMessage?
}

/// The rows of the outbox; see `outbox.sql`.
enum OutboxTable {
    /// - Returns: the sequence of the row.
    @discardableResult
    static func insert(
        _ db: Database, _ event: OutgoingEvent, fence: TransactionID?, half: EncodedHalf?, now: Timestamp
    ) throws -> Int64 {
        try insert(db, event, fence, half?.text, at: nil, now: now)
        return db.lastInsertedRowID
    }

    /// The last one that was given out.
    static func lastSequence(_ db: Database) throws -> Int64 {
        let statement = try db.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'escrow_outbox'")
        return try Int64.fetchOne(statement) ?? 0
    }

    /// A row that was taken out too early stands where it stood.
    static func putBack(_ db: Database, _ row: OutboxRow, now: Timestamp) throws {
        let half = row.half.map { EncodedHalf($0).text }
        try insert(db, row.event, row.fence, half, at: row.sequence, now: now)
    }

    private static func insert(
        _ db: Database, _ event: OutgoingEvent, _ fence: TransactionID?, _ half: String?, at sequence: Int64?,
        now: Timestamp
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO escrow_outbox
                    (sequence, fence, topic, tag, idempotency_key, ordering_key, body, due, half, trace, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            sequence, fence?.bytes, event.topic, event.tag, event.idempotencyKey, event.orderingKey, event.body,
            event.due?.milliseconds, half, event.trace, now.milliseconds,
        ])
    }

    /// Rows behind `sequence`, in commit order.
    static func rows(_ db: Database, after sequence: Int64, limit: Int) throws -> [OutboxRow] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT sequence, fence, topic, tag, idempotency_key, ordering_key, body, due, half, trace
                FROM escrow_outbox WHERE sequence > ? ORDER BY sequence LIMIT ?
                """)
        return try Row.fetchAll(statement, arguments: [sequence, limit]).map { row in
            OutboxRow(
                sequence: row[0],
                fence: (row[1] as Data?).flatMap(TransactionID.init),
                event: OutgoingEvent(
                    topic: row[2], tag: row[3], idempotencyKey: row[4], orderingKey: row[5], body: row[6],
                    due: (row[7] as Int64?).map(Timestamp.init(milliseconds:)), trace: row[9]),
                half: (row[8] as String?).flatMap { EncodedHalf(text: $0)?.message })
        }
    }

    static func delete(_ db: Database, _ sequences: [Int64]) throws {
        let statement = try db.cachedStatement(
            sql: "DELETE FROM escrow_outbox WHERE sequence IN (\(SQLChunk.placeholders))")
        try SQLChunk.forEach(sequences) { try statement.execute(arguments: StatementArguments($0)) }
    }

    /// The half is gone or decided otherwise: the event is to be sent as a whole message.
    static func forgetHalf(_ db: Database, _ sequence: Int64) throws {
        try db.cachedStatement(sql: "UPDATE escrow_outbox SET half = NULL WHERE sequence = ?")
            .execute(arguments: [sequence])
    }

    static func count(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count(*) FROM escrow_outbox") ?? 0
    }

    static func count(_ db: Database, of fence: TransactionID) throws -> Int {
        let statement = try db.cachedStatement(sql: "SELECT count(*) FROM escrow_outbox WHERE fence = ?")
        return try Int.fetchOne(statement, arguments: [fence.bytes]) ?? 0
    }
}
