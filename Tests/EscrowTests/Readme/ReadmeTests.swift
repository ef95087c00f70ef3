import Escrow
import Foundation
import GRDB
import Testing

extension LiveTests {
    /// The README's code is the code of a file beside this one: compiled, run, and compared.
    @Suite(.timeLimit(.minutes(1))) struct ReadmeTests {
        private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

        @Test func theReadmeShowsTheCodeThatIsCompiledHere() throws {
            let code = try String(contentsOf: Self.folder.appending(path: "Shop.swift"), encoding: .utf8)
            let root = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
            #expect(readme.contains("```swift\n\(code)```\n"))
        }

        @Test func itsOrdersArePlacedOncePaidOrCancelled() async throws {
            let site = try LiveSite()
            try await site.pool.write { db in
                try db.execute(
                    sql: """
                        CREATE TABLE orders (id TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
                        CREATE TABLE stock (sku TEXT PRIMARY KEY, reserved INTEGER NOT NULL) STRICT;
                        INSERT INTO stock VALUES ('tea', 0);
                        """)
            }
            let shop = try Shop(site.pool, site.configuration)
            try await site.running(shop.escrow) {
                try await shop.place("17", sku: "tea", payWithin: .milliseconds(300))
                try await shop.place("17", sku: "tea", payWithin: .milliseconds(300))
                try await shop.place("18", sku: "tea")
                try await shop.pay("18")
                try await site.until("SELECT state = 'cancelled' FROM orders WHERE id = '17'", is: 1)
                try await site.until("SELECT reserved FROM stock", is: 2)
                let states = try await site.pool.read {
                    try String.fetchAll($0, sql: "SELECT state FROM orders ORDER BY id")
                }
                #expect(states == ["cancelled", "paid"])
            }
        }
    }
}
