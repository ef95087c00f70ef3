import Escrow
import Foundation
import GRDB
import MQProtocol
import Testing

extension LiveTests {
    /// Two services of one name on one file, as two processes have it.
    @Suite(.timeLimit(.minutes(1))) struct LiveSharedFileTests {
        private let site: LiveSite

        init() throws {
            site = try LiveSite()
        }

        private func shop(_ pool: DatabasePool, _ configuration: EscrowConfiguration) throws -> Escrow {
            let escrow = try Escrow("shop", database: pool, configuration: configuration)
            try escrow.on(Placed.self, as: "stock") { event, tx in
                try TestDatabase.note(tx.database, "stock \(event.order)/\(event.number)")
                return .done
            }
            return escrow
        }

        private func place(_ escrow: Escrow, _ order: String, _ numbers: Range<Int>) async throws {
            for number in numbers {
                _ = try await escrow.transaction { tx in
                    try tx.publish(Placed(order: order, number: number))
                }.get()
            }
        }

        private func handled(_ order: String) throws -> [String] {
            try site.notes().filter { $0.hasPrefix("stock \(order)/") }
        }

        private func expected(_ order: String, _ count: Int) -> [String] {
            (0..<count).map { "stock \(order)/\($0)" }
        }

        @Test func everythingIsHandledOnceAndInOrderWhoeverPublishedIt() async throws {
            try await site.withBroker { broker in
                let second = try DatabasePool(path: site.pool.path)
                let a = try shop(site.pool, site.configuration(broker))
                let b = try shop(second, site.configuration(broker))
                #expect(a.databaseIdentity == b.databaseIdentity)
                try await site.running(a, b) {
                    async let first: Void = place(a, "a", 0..<40)
                    async let other: Void = place(b, "b", 0..<40)
                    _ = try await (first, other)
                    try await eventually("SELECT count(*) FROM note", is: 80)
                    #expect(try handled("a") == expected("a", 40))
                    #expect(try handled("b") == expected("b", 40))
                    #expect(try site.int("SELECT count(*) FROM escrow_lease") == 1)
                }
            }
        }

        /// The one that relays goes away; what is committed afterwards leaves through the other.
        @Test func theOtherTakesTheLeaseOver() async throws {
            try await site.withBroker { broker in
                let second = try DatabasePool(path: site.pool.path)
                let a = try shop(site.pool, site.configuration(broker))
                let b = try shop(second, site.configuration(broker))
                let first = Task { try await a.run() }
                try await place(a, "17", 0..<5)
                try await eventually("SELECT count(*) FROM note", is: 5)
                let holder = try await holder()
                try await site.running(b) {
                    first.cancel()
                    _ = await first.result
                    try await place(b, "17", 5..<10)
                    try await eventually("SELECT count(*) FROM note", is: 10)
                    #expect(try handled("17") == expected("17", 10))
                    let now = try await self.holder()
                    #expect(holder != nil && now != nil && now != holder)
                }
            }
        }

        private func holder() async throws -> String? {
            try await site.pool.read { try String.fetchOne($0, sql: "SELECT holder FROM escrow_lease") }
        }

        /// Another pool's commits are not told of: looks again until it is so.
        private func eventually(_ sql: String, is value: Int) async throws {
            while try site.int(sql) != value {
                try Task.checkCancellation()
                try await TimeSource.system.sleep(for: .milliseconds(10))
            }
        }
    }
}
