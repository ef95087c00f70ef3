public import Escrow

/// All lines of an order are reserved. Published by the inventory service.
public struct StockReserved: Event, Equatable {
    public static let topic: Topic = "stock"

    public var order: String

    public init(order: String) {
        self.order = order
    }

    public var idempotencyKey: IdempotencyKey { "reserved/\(order)" }
    public var orderingKey: OrderingKey { .by(order) }
}

/// No line of an order is reserved.
public struct StockRejected: Event, Equatable {
    public static let topic: Topic = "stock"

    public var order: String
    public var reason: String

    public init(order: String, reason: String) {
        self.order = order
        self.reason = reason
    }

    public var idempotencyKey: IdempotencyKey { "rejected/\(order)" }
    public var orderingKey: OrderingKey { .by(order) }
}
