import Foundation
public import MQProtocol

/// A durable timeout owned by a business key: the payment of order 17.
public struct Deadline: Sendable, Hashable, CustomStringConvertible {
    /// What it is for; the handler is registered by it.
    public var name: String
    /// Whose it is, unique within the name: 1 to 255 bytes without control characters.
    public var key: String

    public init(_ name: String, for key: String) {
        self.name = name
        self.key = key
    }

    public var description: String { "\(name) of \(key)" }
}

/// A deadline that has passed, as its handler sees it.
public struct DueDeadline: Sendable, Hashable {
    public var deadline: Deadline
    /// Grows with every arming and extension.
    public var generation: Int64
    public var due: Timestamp

    public var key: String { deadline.key }
}

/// What a cancel found.
public enum DeadlineCancellation: Sendable, Hashable {
    /// It was armed and will not fire.
    case cancelled
    /// Too late: it has fired, and its effect is committed.
    case alreadyFired
    /// It was never armed, or cancelled before.
    case notArmed
}

/// What the broker's timer carries: a hint that a deadline may be due. The row decides.
struct DeadlineRing: Codable, Sendable, Equatable {
    var name: String
    var key: String
    var generation: Int64
    var database: String

    init(_ deadline: Deadline, generation: Int64, database: String) {
        name = deadline.name
        key = deadline.key
        self.generation = generation
        self.database = database
    }

    var deadline: Deadline { Deadline(name, for: key) }

    static let tag = "deadline"

    func outgoing(due: Timestamp, topic: String, trace: String?) throws(EscrowError) -> OutgoingEvent {
        do {
            let body = try JSONCodec.encoder.encode(self)
            return OutgoingEvent(
                topic: topic, tag: Self.tag, idempotencyKey: "\(name)/\(generation)/\(key)", orderingKey: nil,
                body: body, due: due, trace: trace)
        } catch {
            throw EscrowError(.invalidEvent, "The deadline \(deadline) could not be encoded: \(error)", cause: error)
        }
    }
}
