public import Escrow

/// Somebody has registered.
public struct UserRegistered: Event, Equatable {
    public static let topic: Topic = "users"

    /// The mail address, which is also the name of the account.
    public var address: String
    public var name: String
    /// Nil for somebody without one.
    public var phone: String?

    public init(address: String, name: String, phone: String?) {
        self.address = address
        self.name = name
        self.phone = phone
    }

    public var idempotencyKey: IdempotencyKey { "registered/\(address)" }
    public var orderingKey: OrderingKey { .none }
}
