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
    /// It may have been sent before, and have arrived.
    var isRepeated = false
}

/// The rows of the outbox; see `outbox.sql`.
enum OutboxTable {
    /// - Returns: the sequence of the row.
    @discardableResult
    static func insert(
        _ db: Database, _ event: OutgoingEvent, fence: TransactionID?, half: EncodedHalf?, now: Timestamp
    ) throws -> Int64 {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO escrow_outbox
                    (fence, topic, tag, idempotency_key, ordering_key, body, due, half, trace, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            fence?.bytes, event.topic, event.tag, event.idempotencyKey, event.orderingKey, event.body,
            event.due?.milliseconds, half?.text, event.trace, now.milliseconds,
        ])
        return db.lastInsertedRowID
    }

    /// The last one that was given out.
    static func lastSequence(_ db: Database) throws -> Int64 {
        let statement = try db.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'escrow_outbox'")
        return try Int64.fetchOne(statement) ?? 0
    }

    /// Rows behind `sequence`, in commit order.
    static func rows(_ db: Database, after sequence: Int64, limit: Int) throws -> [OutboxRow] {
        let statement = try db.cachedStatement(
            sql: "\(columns) WHERE sequence > ? ORDER BY sequence LIMIT ?")
        return try Row.fetchAll(statement, arguments: [sequence, limit]).map(OutboxRow.init)
    }

    private static let columns = """
        SELECT sequence, fence, topic, tag, idempotency_key, ordering_key, body, due, half, trace FROM escrow_outbox
        """

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

    /// A stock broker that asks back has written the half anew and asks about the copy, which it takes for another
    /// half: the row's verdict is to name that one.
    ///
    /// - Returns: the row that names another place now; nil when none does.
    static func moveHalf(_ db: Database, of fence: TransactionID, to place: HalfMessage) throws -> OutboxRow? {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "\(columns) WHERE fence = ? AND half IS NOT NULL"), arguments: [fence.bytes])
        for var row in rows.map(OutboxRow.init) {
            guard var half = row.half, half.messageID == place.messageID, half.isAtBroker(of: place),
                half.logOffset != place.logOffset
            else { continue }
            half.logOffset = place.logOffset
            half.queueOffset = place.queueOffset
            try db.cachedStatement(sql: "UPDATE escrow_outbox SET half = ? WHERE sequence = ?")
                .execute(arguments: [EncodedHalf(half).text, row.sequence])
            row.half = half
            return row
        }
        return nil
    }

    static func count(_ db: Database, of fence: TransactionID) throws -> Int {
        let statement = try db.cachedStatement(sql: "SELECT count(*) FROM escrow_outbox WHERE fence = ?")
        return try Int.fetchOne(statement, arguments: [fence.bytes]) ?? 0
    }
}

extension OutboxRow {
    fileprivate init(_ row: Row) {
        self.init(
            sequence: row[0],
            fence: (row[1] as Data?).flatMap(TransactionID.init),
            event: OutgoingEvent(
                topic: row[2], tag: row[3], idempotencyKey: row[4], orderingKey: row[5], body: row[6],
                due: (row[7] as Int64?).map(Timestamp.init(milliseconds:)), trace: row[9]),
            half: (row[8] as String?).flatMap { EncodedHalf(text: $0)?.message })
    }
}

extension HalfMessage {
    /// A broker that no name server lists is known by its address only.
    fileprivate func isAtBroker(of other: HalfMessage) -> Bool {
        other.brokerName.isEmpty ? brokerAddress == other.brokerAddress : brokerName == other.brokerName
    }
}
