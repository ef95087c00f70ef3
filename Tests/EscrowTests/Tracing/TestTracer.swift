import Synchronization
import Tracing

/// Keeps every span in memory, and travels as W3C's `traceparent`.
final class TestTracer: Tracer {
    struct Finished: Sendable {
        var name: String
        var kind: SpanKind
        var place: Place
        var parent: Place?
        var attributes: [String: String] = [:]
        var errors: [String] = []
    }

    /// Where a span is.
    struct Place: Sendable, Hashable {
        var trace: String
        var span: String

        var header: String { "00-\(trace)-\(span)-01" }

        init(trace: String, span: String) {
            self.trace = trace
            self.span = span
        }

        /// - Parameter header: nil is given back for one that is none.
        init?(header: String) {
            let parts = header.split(separator: "-").map(String.init)
            guard parts.count == 4, parts[1].count == 32, parts[2].count == 16 else { return nil }
            self.init(trace: parts[1], span: parts[2])
        }
    }

    fileprivate enum PlaceKey: InstrumentationContextKey {
        typealias Value = Place
    }

    private let state = Mutex((last: UInt64(0), finished: [Finished]()))
    /// Told of each span that ended.
    let ends: AsyncStream<Finished>
    private let end: AsyncStream<Finished>.Continuation

    init() {
        (ends, end) = AsyncStream.makeStream()
    }

    var finished: [Finished] { state.withLock { $0.finished } }

    func finished(_ name: String) -> [Finished] { finished.filter { $0.name == name } }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> TestSpan {
        var context = context()
        let parent = context[PlaceKey.self]
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        let place = Place(trace: parent?.trace ?? Self.hex(number, digits: 32), span: Self.hex(number, digits: 16))
        context[PlaceKey.self] = place
        return TestSpan(context, Finished(name: operationName, kind: kind, place: place, parent: parent)) { span in
            self.state.withLock { $0.finished.append(span) }
            self.end.yield(span)
        }
    }

    private static func hex(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    func forceFlush() {}

    func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let place = context[PlaceKey.self] else { return }
        injector.inject(place.header, forKey: "traceparent", into: &carrier)
    }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let header = extractor.extract(key: "traceparent", from: carrier) else { return }
        context[PlaceKey.self] = Place(header: header)
    }
}

final class TestSpan: Span {
    let context: InstrumentationContext
    private let state: Mutex<(span: TestTracer.Finished, attributes: SpanAttributes)>
    private let onEnd: @Sendable (TestTracer.Finished) -> Void

    init(
        _ context: InstrumentationContext, _ span: TestTracer.Finished,
        onEnd: @escaping @Sendable (TestTracer.Finished) -> Void
    ) {
        self.context = context
        self.onEnd = onEnd
        state = Mutex((span, [:]))
    }

    var operationName: String {
        get { state.withLock { $0.span.name } }
        set { state.withLock { $0.span.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    var isRecording: Bool { true }

    func setStatus(_ status: SpanStatus) {}

    func addEvent(_ event: SpanEvent) {}

    func addLink(_ link: SpanLink) {}

    func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.span.errors.append("\(error)") }
    }

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let span = state.withLock { state in
            state.attributes.forEach { name, value in
                if case .string(let text) = value { state.span.attributes[name] = text }
            }
            return state.span
        }
        onEnd(span)
    }
}
