import Foundation
import MQProtocol

/// An event ready to be sent or stored: what its message will carry.
struct OutgoingEvent: Sendable, Equatable {
    var topic: String
    var tag: String
    var idempotencyKey: String
    var orderingKey: String?
    var body: Data
    /// Not to be delivered before.
    var due: Timestamp?
    /// ``TraceHeaders/text`` of where it was published.
    var trace: String?

    /// RocketMQ's own limit of a body, and this client's and broker's default.
    static let maximumBodyBytes = 4 << 20

    init(
        topic: String, tag: String, idempotencyKey: String, orderingKey: String?, body: Data, due: Timestamp? = nil,
        trace: String? = nil
    ) {
        self.topic = topic
        self.tag = tag
        self.idempotencyKey = idempotencyKey
        self.orderingKey = orderingKey
        self.body = body
        self.due = due
        self.trace = trace
    }

    /// - Throws: ``EscrowError/Code/invalidEvent``.
    init<E: Event>(_ event: E, in namespace: Namespace, trace: String? = nil) throws(EscrowError) {
        let key = event.idempotencyKey
        guard key.isValid else {
            throw EscrowError(
                .invalidEvent,
                "The idempotency key \"\(key)\" of \(E.name) needs 1 to \(IdempotencyKey.maximumBytes) bytes and no "
                    + "control characters.")
        }
        if let order = event.orderingKey.text, !IdempotencyKey(order).isValid {
            throw EscrowError(
                .invalidEvent,
                "The ordering key \"\(order)\" of \(E.name) needs 1 to \(IdempotencyKey.maximumBytes) bytes and no "
                    + "control characters.")
        }
        guard EventName.isPossible(E.name) else {
            throw EscrowError(.invalidEvent, "The event's name \"\(E.name)\" needs \(EventName.rule).")
        }
        let body: Data
        do {
            body = try E.codec.encode(event)
        } catch {
            throw EscrowError(.invalidEvent, "\(E.name) \(key) could not be encoded: \(error)", cause: error)
        }
        guard body.count <= Self.maximumBodyBytes else {
            throw EscrowError(
                .invalidEvent,
                "\(E.name) \(key) has \(body.count) bytes, more than \(Self.maximumBodyBytes): publish a reference to "
                    + "what is large.")
        }
        if let remark = TopicName.remark(refusing: namespace.topic(E.topic.name)) {
            throw EscrowError(.invalidEvent, "The topic \(E.topic) of \(E.name) is not possible: \(remark)")
        }
        guard !body.isEmpty else {
            throw EscrowError(.invalidEvent, "\(E.name) \(key) was encoded to no bytes: a message needs a body.")
        }
        self.init(
            topic: namespace.topic(E.topic.name), tag: E.name, idempotencyKey: key.text,
            orderingKey: event.orderingKey.text, body: body, trace: trace)
    }
}

/// Which names an event can have: they are the tags of its messages. Consumers name the tags they want with bars
/// between them; a lone asterisk wants all.
enum EventName {
    static func isPossible(_ name: String) -> Bool {
        name != "*" && IdempotencyKey(name).isValid && !name.utf8.contains(UInt8(ascii: "|"))
            && name.first?.isWhitespace == false && name.last?.isWhitespace == false
    }

    static let rule =
        "1 to \(IdempotencyKey.maximumBytes) bytes without bars, control characters and blanks around it"
}

/// Keeps the topics and groups of several stores on one broker apart: `<namespace>%<name>`, as RocketMQ's clients write
/// namespaces.
struct Namespace: Sendable, Equatable {
    var prefix: String

    init(_ name: String?) {
        prefix = name.map { $0 + "%" } ?? ""
    }

    func topic(_ name: String) -> String { prefix + name }

    func group(_ name: String) -> String { prefix + name }
}
