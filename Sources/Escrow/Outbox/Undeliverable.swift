import Foundation
import GRDB

/// Messages that this client refuses to send, or that a broker calls illegal: no retry helps. They stand among the dead
/// letters, and what is published behind them goes on. Redriven they are sent again: the broker's limits may be others.
enum Undeliverable {
    /// The consumer under which a message stands there: `outbox:TOPIC/TAG`. None has such a name, and keys are unique
    /// within one address only.
    static func consumer(_ event: OutgoingEvent) -> String { "\(prefix)\(event.topic)/\(event.tag)" }

    static func holds(_ letter: DeadLetterTable.Letter) -> Bool { letter.consumer.hasPrefix(prefix) }

    private static let prefix = "outbox:"

    static func giveUp(_ db: Database, _ row: OutboxRow, reason: String, _ context: GroupContext) throws {
        let letter = DeadLetterTable.Letter(
            consumer: consumer(row.event), idempotencyKey: row.event.idempotencyKey, orderingKey: row.event.orderingKey,
            topic: row.event.topic, tag: row.event.tag, body: row.event.body, messageID: messageID(row.fence),
            born: context.now, trace: row.event.trace)
        try DeadLetterTable.insert(db, letter, reason: reason, attempts: 1, now: context.now)
        try OutboxTable.delete(db, [row.sequence])
        if let fence = row.fence { try Fence.acknowledge(db, [fence], now: context.now) }
        context.count(.deadLetters)
    }

    /// There is no message, so a letter has its transaction in that place.
    private static func messageID(_ fence: TransactionID?) -> String { fence?.description ?? "" }

    /// Why a message of the transaction was given up; nil when none was, or it was put back.
    ///
    /// Names that begin with ``prefix``, as the index of these letters says it.
    static func reason(_ db: Database, of fence: TransactionID) throws -> String? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT reason FROM escrow_dead_letter WHERE state IN ('open', 'wanted', 'discarded') AND message_id = ?
                AND consumer >= 'outbox:' AND consumer < 'outbox;'
                """)
        return try String.fetchOne(statement, arguments: [messageID(fence)])
    }

    static func error(_ reason: String) -> EscrowError {
        EscrowError(
            .undeliverable,
            "A message of the transaction cannot be sent and is a dead letter (escrow dead-letters list): \(reason)")
    }

    /// Sends a letter again, at once: a ring that comes early is sent on its way again.
    static func putBack(_ db: Database, _ letter: DeadLetterTable.Letter, _ context: GroupContext) throws {
        let event = OutgoingEvent(
            topic: letter.topic, tag: letter.tag, idempotencyKey: letter.idempotencyKey,
            orderingKey: letter.orderingKey, body: letter.body, trace: letter.trace)
        try context.publish(db, event, fence: TransactionID(text: letter.messageID))
    }
}
