import MQClient
import Tracing

/// Carries the trace of whoever publishes to the handlers of what is published, through outbox, broker and dead
/// letters.
///
/// There is a span around each transaction, of kind producer, and one around each run of a handler, of kind consumer,
/// whose parent is the span in which the message was published. Both are the current one inside the body, so that the
/// user's own spans are below them. Without a tracer nothing is done, and nothing is added to messages.
struct Traces: Sendable {
    private let tracer: (any Tracer)?

    static let off = Traces(tracer: nil)

    private init(tracer: (any Tracer)?) {
        self.tracer = tracer
    }

    /// - Parameter tracer: nil for that of the process.
    static func of(_ tracer: (any Tracer)?) -> Traces {
        let found = tracer ?? InstrumentationSystem.tracer
        return Traces(tracer: found is NoOpTracer ? nil : found)
    }

    /// Where a task, or a body on the writer's thread, stands now; nil without a tracer.
    var current: InstrumentationContext? {
        tracer == nil ? nil : InstrumentationContext.current
    }

    /// What a message that is published now carries; nil for nothing.
    var headers: String? { current.flatMap(headers) }

    func headers(_ context: InstrumentationContext) -> String? {
        guard let tracer else { return nil }
        var headers = TraceHeaders()
        tracer.inject(context, into: &headers, using: TraceInjector())
        return headers.text
    }

    /// Where a message was published; nil without a tracer.
    func context(of properties: ReceivedProperties) -> InstrumentationContext? {
        extract(properties, PropertyExtractor())
    }

    /// - Parameter headers: as a row keeps them; nil for none.
    func context(of headers: String?) -> InstrumentationContext? {
        extract(TraceHeaders(text: headers ?? ""), HeaderExtractor())
    }

    private func extract<Source: Sendable, From: Extractor>(
        _ source: Source, _ extractor: From
    ) -> InstrumentationContext? where From.Carrier == Source {
        guard let tracer else { return nil }
        var context = InstrumentationContext.topLevel
        tracer.extract(source, into: &context, using: extractor)
        return context
    }

    // MARK: Spans

    /// What a span says of its message.
    struct Subject: Sendable {
        var name: String
        var attributes: [(String, String)] = []
    }

    /// Runs a handler in a span below the one in which its message was published.
    ///
    /// - Parameter context: nil begins a trace.
    func handling<Value>(
        _ subject: @autoclosure () -> Subject, in context: InstrumentationContext?, _ body: () throws -> Value
    ) rethrows -> Value {
        guard let tracer else { return try body() }
        return try Self.handling(subject(), in: context ?? .topLevel, by: tracer, body)
    }

    private static func handling<Value>(
        _ subject: Subject, in context: InstrumentationContext, by tracer: some Tracer, _ body: () throws -> Value
    ) rethrows -> Value {
        try tracer.withSpan(subject.name, context: context, ofKind: .consumer) { span in
            span.updateAttributes { attributes in
                attributes["messaging.system"] = "rocketmq"
                attributes["messaging.operation.name"] = "process"
                for (name, value) in subject.attributes { attributes[name] = value }
            }
            return try body()
        }
    }

    /// Runs a transaction in a span below the caller's.
    func publishing<Value>(
        _ name: @autoclosure () -> String, _ body: () async throws -> Value
    ) async rethrows -> Value {
        guard let tracer else { return try await body() }
        return try await Self.publishing(name(), by: tracer, body)
    }

    private static func publishing<Value>(
        _ name: String, by tracer: some Tracer, _ body: () async throws -> Value
    ) async rethrows -> Value {
        try await tracer.withSpan(name, ofKind: .producer) { span in
            span.updateAttributes { $0["messaging.system"] = "rocketmq" }
            return try await body()
        }
    }

    /// Makes `context` the current one: threads of the database know nothing of tasks.
    func within<Value>(_ context: InstrumentationContext?, _ body: () throws -> Value) rethrows -> Value {
        guard let context else { return try body() }
        return try InstrumentationContext.withValue(context, operation: body)
    }
}

extension Traces.Subject {
    static func event(_ letter: DeadLetterTable.Letter) -> Self {
        Self(
            name: "\(letter.topic) process",
            attributes: [
                ("messaging.destination.name", letter.topic), ("messaging.message.id", letter.messageID),
                ("messaging.consumer.group.name", letter.consumer), ("messaging.rocketmq.message.tag", letter.tag),
            ])
    }

    static func deadline(_ deadline: Deadline, topic: String) -> Self {
        Self(
            name: "\(deadline.name) deadline",
            attributes: [
                ("messaging.destination.name", topic),
                ("messaging.consumer.group.name", Firing.consumer(deadline.name)),
            ])
    }
}
