import Escrow
import Foundation
import Testing

extension LiveTests {
    /// A service with a broker inside it of which nothing more is said.
    @Suite(.timeLimit(.minutes(1))) struct LiveEmbeddedTests {
        private let site: LiveSite

        init() throws {
            site = try LiveSite()
        }

        /// Its row has left the outbox: the broker's directory is the only place where it is.
        @Test func whatWasPublishedBeforeARestartIsHandledAfterIt() async throws {
            let publisher = try Escrow("shop", database: site.pool, configuration: site.quiet(.embedded()))
            try await site.running(publisher) {
                let result = try await publisher.transaction(Placed(order: "17")) { _ in }
                guard case .committed(_, let receipt) = result else { throw Planned(text: "no commit") }
                try await receipt.visible()
            }
            #expect(try site.int("SELECT count(*) FROM escrow_outbox") == 0)
            let shop = try site.shop(site.quiet(.embedded()))
            try await site.running(shop) {
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
            }
            let directory = site.directory.appending(path: "service.sqlite-broker").path
            #expect(FileManager.default.fileExists(atPath: directory))
        }

        /// It would look alive: connected, and telling everybody who waits that it has stopped.
        @Test func aSecondRunIsRefused() async throws {
            let shop = try site.shop()
            try await site.running(shop) {
                _ = try await shop.transaction(Placed(order: "17")) { _ in }
                let error = await #expect(throws: EscrowError.self) { try await shop.run() }
                #expect(error?.code == .runTwice)
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
            }
            let error = await #expect(throws: EscrowError.self) { try await shop.run() }
            #expect(error?.code == .runTwice)
        }
    }
}
