import Escrow
import Foundation
import MetricsTestKit
import MQProtocol
import Testing

extension LiveTests {
    /// What the metrics backend of a process hears.
    @Suite(.timeLimit(.minutes(1))) struct LiveMetricsTests {
        private let site: LiveSite
        private let metrics = TestMetrics()

        init() throws {
            site = try LiveSite()
        }

        private func count(_ label: String) throws -> Int64 {
            try metrics.expectCounter("escrow_\(label)", [("service", "shop")]).totalValue
        }

        @Test func everythingThatHappensIsCounted() async throws {
            var configuration = site.configuration
            configuration.metrics = metrics
            configuration.doublesDelivery = { $0 == "placed/17/0" }
            let escrow = try Escrow("shop", database: site.pool, configuration: configuration)
            let policy = RetryPolicy(immediate: 1, delays: [])
            try escrow.on(Placed.self, as: "stock", retry: policy) { event, tx in
                guard event.number != 1 else { throw Planned() }
                try tx.publish(Noted(text: "\(event.number)"))
                return .done
            }
            try escrow.onDeadline("payment") { _, _ in .done }
            try await site.running(escrow) {
                for number in 0..<2 {
                    try await escrow.transaction(Placed(order: "17", number: number)) { _ in }.get()
                }
                try await escrow.transaction { tx in
                    try tx.arm(Deadline("payment", for: "17"), after: .milliseconds(50))
                }.get()
                try await site.until("SELECT count(*) FROM escrow_deadline WHERE state = 'fired'", is: 1)
                try await site.until("SELECT count(*) FROM escrow_dead_letter", is: 1)
                try await site.until(
                    "SELECT value FROM escrow_counter WHERE name = 'duplicatesSuppressed'", is: 1)
                try await site.until("SELECT count(*) FROM escrow_outbox", is: 0)
            }
            // Two orders, a note and a ring.
            #expect(try count("published") == 4)
            #expect(try count("relayed") == 4)
            #expect(try count("handled") == 1)
            #expect(try count("duplicates") == 1)
            #expect(try count("retries") == 1)
            #expect(try count("dead_letters") == 1)
            #expect(try count("deadlines") == 1)
            #expect(try count("in_doubt") == 0)
            let lateness = try metrics.expectTimer("escrow_deadline_lateness", [("service", "shop")])
            #expect(lateness.values.count == 1 && (lateness.lastValue ?? -1) >= 0)
            #expect(try metrics.expectTimer("escrow_group", [("service", "shop")]).values.count > 3)
        }
    }
}
