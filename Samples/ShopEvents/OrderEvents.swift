public import Escrow

/// An order that was taken and waits for its stock. Published by the order service.
public struct OrderPlaced: Event, Equatable {
    public static let topic: Topic = "orders"

    public var order: String
    /// At least one.
    public var lines: [Line]

    public init(order: String, lines: [Line]) {
        self.order = order
        self.lines = lines
    }

    public var idempotencyKey: IdempotencyKey { "placed/\(order)" }
    public var orderingKey: OrderingKey { .by(order) }
}

/// An order whose payment was accepted. It stays paid.
public struct OrderPaid: Event, Equatable {
    public static let topic: Topic = "orders"

    public var order: String
    public var payment: String

    public init(order: String, payment: String) {
        self.order = order
        self.payment = payment
    }

    public var idempotencyKey: IdempotencyKey { "paid/\(order)" }
    public var orderingKey: OrderingKey { .by(order) }
}

/// An order that nobody will pay for any more. It stays cancelled, whatever is paid later.
public struct OrderCancelled: Event, Equatable {
    public static let topic: Topic = "orders"

    public var order: String
    public var reason: String

    public init(order: String, reason: String) {
        self.order = order
        self.reason = reason
    }

    public var idempotencyKey: IdempotencyKey { "cancelled/\(order)" }
    public var orderingKey: OrderingKey { .by(order) }
}

/// Goods of an earlier sale that came back.
public struct GoodsReturned: Event, Equatable {
    public static let topic: Topic = "returns"

    /// The credit note, not the order: a return need not know its order.
    public var note: String
    public var lines: [Line]

    public init(note: String, lines: [Line]) {
        self.note = note
        self.lines = lines
    }

    public var idempotencyKey: IdempotencyKey { "returned/\(note)" }
    public var orderingKey: OrderingKey { .by(note) }
}
