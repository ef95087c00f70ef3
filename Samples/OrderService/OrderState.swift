public import GRDB

/// Where an order stands.
public enum OrderState: String, Sendable, Codable, CaseIterable, DatabaseValueConvertible {
    /// Waits for its stock.
    case placed
    /// Its stock is reserved; waits for the payment, until the deadline.
    case reserved
    case paid
    case cancelled
    /// Out of stock.
    case rejected

    /// No other state follows.
    public var isFinal: Bool {
        switch self {
        case .placed, .reserved: false
        case .paid, .cancelled, .rejected: true
        }
    }
}

/// What a payment found.
public enum PaymentVerdict: String, Sendable, Codable {
    /// The order is paid by it.
    case accepted
    /// Too late, or the order is paid already: the money goes back.
    case refused
}
