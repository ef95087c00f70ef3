import Escrow
import Foundation
import GRDB
import Testing
import Tracing

extension LiveTests {
    /// A trace through outbox, broker, handlers, deadlines and dead letters.
    @Suite(.timeLimit(.minutes(1))) struct LiveTracingTests {
        private let site: LiveSite
        private let tracer = TestTracer()

        init() throws {
            site = try LiveSite()
        }

        private var configuration: EscrowConfiguration {
            var configuration = site.configuration
            configuration.tracer = tracer
            return configuration
        }

        /// Returns when so many spans have ended.
        private func ended(_ count: Int) async {
            for await _ in tracer.ends where tracer.finished.count >= count { return }
        }

        private func only(_ name: String) throws -> TestTracer.Finished {
            let spans = tracer.finished(name)
            try #require(spans.count == 1, "\(name): \(tracer.finished.map(\.name))")
            return spans[0]
        }

        @Test func itGoesFromTheCallerToEachHandler() async throws {
            let tracer = tracer
            let escrow = try Escrow("shop", database: site.pool, configuration: configuration)
            try escrow.on(Placed.self, as: "stock") { event, tx in
                try tracer.withSpan("in the handler") { _ in try tx.publish(Noted(text: event.order)) }
                return .done
            }
            try escrow.on(Noted.self, as: "notes") { _, _ in .done }
            try escrow.onDeadline("payment") { _, _ in .done }
            try await site.running(escrow) {
                try await tracer.withSpan("request") { _ in
                    try await escrow.transaction(Placed(order: "17")) { tx in
                        try tx.arm(Deadline("payment", for: "17"), after: .milliseconds(1))
                    }.get()
                }
                await ended(6)
            }
            let request = try only("request")
            let transaction = try only("shop transaction")
            #expect(transaction.parent == request.place && transaction.kind == .producer)
            let stock = try only("orders process")
            #expect(stock.parent == transaction.place && stock.kind == .consumer)
            #expect(stock.attributes["messaging.consumer.group.name"] == "stock")
            #expect(stock.attributes["messaging.system"] == "rocketmq")
            #expect(stock.attributes["messaging.message.id"]?.isEmpty == false)
            let inside = try only("in the handler")
            #expect(inside.parent == stock.place)
            #expect(try only("notes process").parent == inside.place)
            #expect(try only("payment deadline").parent == transaction.place)
            #expect(Set(tracer.finished.map(\.place.trace)) == [request.place.trace])
        }

        /// A redrive days later still says whose order it was.
        @Test func aDeadLetterKeepsIt() async throws {
            let escrow = try Escrow("shop", database: site.pool, configuration: configuration)
            let runs = RunCount()
            try escrow.on(Placed.self, as: "stock", retry: RetryPolicy(immediate: 0, delays: [])) { _, _ in
                if runs.next() == 1 { throw Planned(text: "broken") }
                return .done
            }
            try await site.running(escrow) {
                try await escrow.transaction(Placed(order: "17")) { _ in }.get()
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'open'", is: 1)
                #expect(try await escrow.deadLetters.redrive() == 1)
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'redriven'", is: 1)
            }
            let transaction = try only("shop transaction")
            let handled = tracer.finished("orders process")
            #expect(handled.map(\.parent) == [transaction.place, transaction.place])
            #expect(handled.map(\.errors.count) == [1, 0])
        }
    }
}
