import Synchronization

/// Something that happened, told to other services in a message.
///
/// An event says where it goes, what makes it the same event when it arrives twice, and what it must stay in order
/// with. None of the three has a default: leaving one out does not compile.
///
/// ```swift
/// struct OrderPlaced: Event {
///     static let topic: Topic = "orders"
///     var orderID: String
///     var idempotencyKey: IdempotencyKey { "placed/\(orderID)" }
///     var orderingKey: OrderingKey { .by(orderID) }
/// }
/// ```
public protocol Event: Codable, Sendable {
    /// Where its messages go. Events that must stay in order with each other share a topic.
    static var topic: Topic { get }

    /// What the event is called in its topic, and the tag of its messages. Default: the name of the type. A service
    /// that renames the type keeps the old name here.
    static var name: String { get }

    /// How it becomes bytes. Default: JSON.
    static var codec: EventCodec<Self> { get }

    /// Two events with one key are the same event, however often and by whomever they are sent: each consumer's effect
    /// happens once. Unique among all events that a consumer handles, so begin it with what happened.
    var idempotencyKey: IdempotencyKey { get }

    /// Events of one key are handled in the order in which they were published.
    var orderingKey: OrderingKey { get }
}

extension Event {
    public static var name: String { TypeNames.name(of: Self.self) }
    public static var codec: EventCodec<Self> { .json }
}

/// Names of types: the runtime puts one together anew each time it is asked.
private enum TypeNames {
    private static let known = Mutex<[ObjectIdentifier: String]>([:])

    static func name(of type: Any.Type) -> String {
        let id = ObjectIdentifier(type)
        if let name = known.withLock({ $0[id] }) { return name }
        let name = String(describing: type)
        known.withLock { $0[id] = name }
        return name
    }
}

/// A topic's name: at most 127 characters of `%|a-zA-Z0-9_-`.
public struct Topic: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var name: String

    public init(_ name: String) {
        self.name = name
    }

    public init(stringLiteral value: String) {
        name = value
    }

    public var description: String { name }
}

/// The identity of an event or of a call: 1 to 255 characters without control characters.
public struct IdempotencyKey: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    public var text: String

    public init(_ text: String) {
        self.text = text
    }

    public init(stringLiteral value: String) {
        text = value
    }

    public var description: String { text }

    /// At most so many UTF-8 bytes.
    public static let maximumBytes = 255

    var isValid: Bool {
        (1...Self.maximumBytes).contains(text.utf8.count) && text.unicodeScalars.allSatisfy { $0.value >= 0x20 }
    }
}

/// What an event must stay in order with.
public enum OrderingKey: Sendable, Hashable {
    /// Nothing: it is handled whenever it arrives, and its retries hold up nobody.
    case none
    /// All events of this key, in the order of their commits. The key selects the queue by the same hash as RocketMQ's
    /// own selector. 1 to 255 characters without control characters.
    case by(String)

    var text: String? {
        switch self {
        case .none: nil
        case .by(let key): key
        }
    }

    init(_ text: String?) {
        self = text.map(OrderingKey.by) ?? .none
    }
}
