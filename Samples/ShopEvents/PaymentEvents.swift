public import Escrow

/// Money has arrived for an order; the bank does not know whether it is still wanted.
public struct PaymentReceived: Event, Equatable {
    public static let topic: Topic = "payments"

    public var order: String
    /// The bank's name of the payment.
    public var payment: String

    public init(order: String, payment: String) {
        self.order = order
        self.payment = payment
    }

    public var idempotencyKey: IdempotencyKey { "received/\(payment)" }
    public var orderingKey: OrderingKey { .by(order) }
}

/// The money of a payment has to go back. For the bank.
public struct RefundOrdered: Event, Equatable {
    public static let topic: Topic = "refunds"

    public var order: String
    public var payment: String
    public var reason: String

    public init(order: String, payment: String, reason: String) {
        self.order = order
        self.payment = payment
        self.reason = reason
    }

    public var idempotencyKey: IdempotencyKey { "refund/\(payment)" }
    public var orderingKey: OrderingKey { .by(order) }
}
