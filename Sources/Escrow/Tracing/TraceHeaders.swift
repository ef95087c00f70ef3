import MQClient
import MQProtocol
import NIOCore
import Tracing

/// What a tracer wants to travel with a message, as properties of the names it chooses: with W3C's propagation
/// `traceparent`, `tracestate` and `baggage`, which RocketMQ's own instrumentation reads too.
struct TraceHeaders: Sendable, Equatable {
    private var properties = MessageProperties()
    private var size = 0

    /// Bytes of names and values at most: a trace never makes a message too large for its broker.
    static let maximumBytes = 4096

    init() {}

    /// - Parameter text: as ``text`` gave it.
    init(text: String) {
        for (name, value) in MessageProperties(text: text) { set(value, for: name) }
    }

    /// Property text as on the wire; nil when there is nothing.
    var text: String? { properties.isEmpty ? nil : String(buffer: properties.encode()) }

    subscript(name: String) -> String? { properties[name] }

    var all: [(name: String, value: String)] { properties.map { ($0.name, $0.value) } }

    /// What no message can carry, or means something else there, stays behind.
    mutating func set(_ value: String, for name: String) {
        let isFree = !PropertyName.isReserved(name) && !EventProperty.isOwn(name)
        guard isFree, size + name.utf8.count + value.utf8.count <= Self.maximumBytes else { return }
        var changed = properties
        changed[name] = value
        guard changed.firstUnrepresentableName == nil else { return }
        properties = changed
        size += name.utf8.count + value.utf8.count
    }
}

/// Lets a tracer write into the headers.
struct TraceInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout TraceHeaders) {
        carrier.set(value, for: key)
    }
}

/// Lets a tracer read what was stored.
struct HeaderExtractor: Extractor {
    func extract(key: String, from carrier: TraceHeaders) -> String? { carrier[key] }
}

/// Lets a tracer read what a message carries.
struct PropertyExtractor: Extractor {
    func extract(key: String, from carrier: ReceivedProperties) -> String? { carrier[key] }
}
