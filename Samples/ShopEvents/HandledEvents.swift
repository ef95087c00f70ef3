public import Escrow
import GRDB
import MQProtocol

/// What a consumer has handled, in its own order: written by each handler beside its effect, in the same transaction.
///
/// Nothing makes its rows unique, so an effect that happened twice shows as two rows.
public enum HandledEvents {
    static let schema = """
        CREATE TABLE handled_event (
            sequence INTEGER PRIMARY KEY,
            consumer TEXT NOT NULL,
            event TEXT NOT NULL,
            ordering_key TEXT,
            handled INTEGER NOT NULL
        ) STRICT
        """

    static func insert(
        _ db: Database, consumer: String, event: String, orderingKey: String?, handled: Int64
    ) throws {
        try db.cachedStatement(
            sql: "INSERT INTO handled_event (consumer, event, ordering_key, handled) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [consumer, event, orderingKey, handled])
    }
}

extension Transaction {
    /// Records that `consumer` handles an event now.
    public func record(_ event: some Event, by consumer: String) throws {
        let orderingKey: String? = if case .by(let key) = event.orderingKey { key } else { nil }
        try HandledEvents.insert(
            database, consumer: consumer, event: event.idempotencyKey.text, orderingKey: orderingKey,
            handled: now.milliseconds)
    }
}

/// Who handles what: a consumer of a service and the events of one topic that reach it.
public struct Subscription: Sendable, Hashable {
    public var consumer: String
    public var topic: Topic
    /// Names of the events.
    public var events: Set<String>

    public init(_ consumer: String, _ topic: Topic, _ events: Set<String>) {
        self.consumer = consumer
        self.topic = topic
        self.events = events
    }
}
