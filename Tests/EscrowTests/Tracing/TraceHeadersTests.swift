import MQClient
import Testing
import Tracing

@testable import Escrow

/// What a tracer may put on a message.
@Suite struct TraceHeadersTests {
    @Test func theyAreReadAsTheyWereWritten() throws {
        var headers = TraceHeaders()
        headers.set("00-1-2-01", for: "traceparent")
        headers.set("a=1,b=2", for: "tracestate")
        let read = TraceHeaders(text: try #require(headers.text))
        #expect(read == headers)
        #expect(read["traceparent"] == "00-1-2-01" && read["tracestate"] == "a=1,b=2")
        #expect(TraceHeaders().text == nil)
    }

    /// Brokers, clients and the framework take their meaning from these.
    @Test(arguments: [
        "KEYS", "DELAY", "TRAN_MSG", "TIMER_DELAY_MS", "UNIQ_KEY", "ESCROW_KEY", "ESCROW_TX", "__SHARDINGKEY",
    ])
    func namesThatMeanSomethingElseAreLeftOut(_ name: String) {
        var headers = TraceHeaders()
        headers.set("x", for: name)
        #expect(headers.text == nil)
    }

    @Test func whatNoMessageCanCarryIsLeftOut() {
        var headers = TraceHeaders()
        headers.set("a\u{2}b", for: "baggage")
        headers.set("", for: "tracestate")
        headers.set("x", for: "a\u{1}b")
        #expect(headers.text == nil)
        headers.set("00-1-2-01", for: "traceparent")
        headers.set(String(repeating: "b", count: TraceHeaders.maximumBytes), for: "baggage")
        #expect(headers.all.map(\.name) == ["traceparent"])
    }

    @Test func theyAreThePropertiesOfTheMessage() throws {
        let tracer = TestTracer()
        let traces = Traces.of(tracer)
        let event = try tracer.withSpan("request") { _ in
            try OutgoingEvent(Noted(text: "a"), in: Namespace(nil), trace: traces.headers)
        }
        let place = try #require(tracer.finished.first?.place)
        #expect(Message(event, identity: "id").properties["traceparent"] == place.header)
    }

    @Test func withoutATracerThereIsNothing() {
        #expect(Traces.off.headers == nil && Traces.off.current == nil)
        #expect(Traces.off.context(of: "traceparent\u{1}00-1-2-01") == nil)
        #expect(Traces.of(nil).current == nil, "the process of the tests has no tracer")
    }
}
