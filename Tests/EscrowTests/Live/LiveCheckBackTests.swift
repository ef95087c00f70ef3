import Escrow
import Foundation
import GRDB
import MQClient
import Synchronization
import Testing

extension LiveTests {
    /// Verdicts that brokers ask for: while the transaction is open, and of transactions in other databases.
    @Suite(.timeLimit(.minutes(1))) struct LiveCheckBackTests {
        private let site: LiveSite

        init() throws {
            site = try LiveSite()
        }

        /// A body that takes longer than the broker's patience: its commit stands, and is seen once.
        @Test func aCheckBackWhileTheTransactionIsOpenDoesNotRollItBack() async throws {
            let open = OpenTransaction()
            var configuration = site.configuration
            configuration.steps = open.steps
            let escrow = try site.shop(configuration)
            try await site.running(escrow) {
                let result = try await escrow.transaction(Placed(order: "17")) { tx in
                    try TestDatabase.note(tx.database, "placed")
                    open.holdCommit()
                }
                try result.get()
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                try await site.until("SELECT count(*) FROM escrow_fence WHERE acknowledged IS NOT NULL", is: 1)
                #expect(try site.notes() == ["placed", "stock 17/0"])
                #expect(try site.int("SELECT count(*) FROM escrow_fence WHERE verdict = 'rollback'") == 0)
            }
        }

        // MARK: Transactions of other databases

        @Test func aTransactionOfAnotherDatabaseIsPublishedOrNotAsItsOwnerSays() async throws {
            let escrow = try site.shop()
            try escrow.checkTransactions(of: "legacy") { _ in .unknown }
            try await site.running(escrow) {
                let dropped = try await escrow.prepare(Placed(order: "17"), kind: "legacy", reference: "row 17")
                #expect(try await escrow.settle(dropped, .rollback) == .accepted)
                let kept = try await escrow.prepare(Placed(order: "18"), kind: "legacy", reference: "row 18")
                #expect(try await escrow.settle(kept, .commit) == .accepted)
                #expect(try await escrow.settle(dropped, .commit) == .opposite)
                try await site.until("SELECT count(*) FROM note", is: 1)
                #expect(try site.notes() == ["stock 18/0"])
            }
        }

        /// Nobody settles it: the broker asks the checker, which finds the decision by the reference.
        @Test func theCheckerIsAskedWhenTheVerdictDoesNotArrive() async throws {
            let asked = Mutex<[String]>([])
            let escrow = try site.shop()
            try escrow.checkTransactions(of: "legacy") { check in
                asked.withLock { $0.append(check.message.properties["ESCROW_TX"] ?? "") }
                return .commit
            }
            try await site.running(escrow) {
                _ = try await escrow.prepare(Placed(order: "17"), kind: "legacy", reference: "row 17")
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                try await site.until("SELECT value FROM escrow_counter WHERE name = 'checkBacks'", is: 1)
                #expect(asked.withLock { $0 } == ["row 17"])
                #expect(try site.int("SELECT count(*) FROM escrow_unresolved") == 0)
            }
        }

        @Test func aKindWithoutCheckerIsRefusedBeforeAnythingIsSent() async throws {
            let escrow = try site.shop()
            do {
                _ = try await escrow.prepare(Placed(order: "17"), kind: "legacy", reference: "row 17")
                Issue.record("nobody could settle it")
            } catch let error as EscrowError {
                #expect(error.code == .invalidName)
            }
        }
    }
}
