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
            topic: row.event.topic, tag: row.event.tag, body: row.event.body, messageID: "", born: context.now,
            trace: row.event.trace)
        try DeadLetterTable.insert(db, letter, reason: reason, attempts: 1, now: context.now)
        try OutboxTable.delete(db, [row.sequence])
        if let fence = row.fence { try Fence.acknowledge(db, [fence], now: context.now) }
        context.count(.deadLetters)
    }

    /// Sends a letter again, at once: a ring that comes early is sent on its way again.
    static func putBack(_ db: Database, _ letter: DeadLetterTable.Letter, _ context: GroupContext) throws {
        let event = OutgoingEvent(
            topic: letter.topic, tag: letter.tag, idempotencyKey: letter.idempotencyKey,
            orderingKey: letter.orderingKey, body: letter.body, trace: letter.trace)
        try context.publish(db, event)
    }
}
