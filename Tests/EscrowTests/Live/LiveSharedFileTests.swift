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
                let a = try site.shop(site.configuration(broker))
                let b = try site.shop(site.configuration(broker), on: second)
                #expect(a.databaseIdentity == b.databaseIdentity)
                try await site.running(a, b) {
                    async let first: Void = place(a, "a", 0..<40)
                    async let other: Void = place(b, "b", 0..<40)
                    _ = try await (first, other)
                    try await site.until("SELECT count(*) FROM note", is: 80, committedBy: second)
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
                let a = try site.shop(site.configuration(broker))
                let b = try site.shop(site.configuration(broker), on: second)
                let first = Task { try await a.run() }
                try await place(a, "17", 0..<5)
                try await site.until("SELECT count(*) FROM note", is: 5, committedBy: second)
                let holder = try await holder()
                try await site.running(b) {
                    first.cancel()
                    _ = await first.result
                    try await place(b, "17", 5..<10)
                    try await site.until("SELECT count(*) FROM note", is: 10, committedBy: second)
                    #expect(try handled("17") == expected("17", 10))
                    let now = try await self.holder()
                    #expect(holder != nil && now != nil && now != holder)
                }
            }
        }

        private func holder() async throws -> String? {
            try await site.pool.read { try String.fetchOne($0, sql: "SELECT holder FROM escrow_lease") }
        }
    }
}
