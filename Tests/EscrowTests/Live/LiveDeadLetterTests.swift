import Escrow
import Foundation
import GRDB
import Synchronization
import Testing

extension LiveTests {
    /// Failing handlers over a live broker: retries, dead letters, redrives.
    @Suite(.timeLimit(.minutes(1))) struct LiveDeadLetterTests {
        private let site: LiveSite
        private let broken = BrokenNumbers()

        init() throws {
            site = try LiveSite()
        }

        private func shop() throws -> Escrow {
            let escrow = try Escrow("shop", database: site.pool, configuration: site.configuration)
            let broken = broken
            try escrow.on(Placed.self, as: "stock", retry: RetryPolicy(immediate: 1, delays: [])) { event, tx in
                if broken.contains(event.number) { throw Planned(text: "broken \(event.number)") }
                try TestDatabase.note(tx.database, "\(event.order)/\(event.number)")
                return .done
            }
            return escrow
        }

        private func publish(_ escrow: Escrow, _ numbers: Range<Int>) async throws {
            for number in numbers {
                _ = try await escrow.transaction(Placed(order: "17", number: number)) { _ in }.get()
            }
        }

        @Test func aDeadLetterHoldsUpNobodyAndIsRedrivenOldestFirst() async throws {
            broken.set([1, 2])
            let escrow = try shop()
            try await site.running(escrow) {
                try await publish(escrow, 0..<4)
                try await site.until("SELECT count(*) FROM note", is: 2)
                #expect(try site.notes() == ["17/0", "17/3"])
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'open'", is: 2)
                let letters = try await escrow.deadLetters.list(consumer: "stock")
                #expect(letters.map(\.idempotencyKey) == ["placed/17/1", "placed/17/2"])
                #expect(letters.allSatisfy { $0.reason.contains("broken") && $0.attempts == 2 })

                broken.set([])
                #expect(try await escrow.deadLetters.redrive() == 2)
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'redriven'", is: 2)
                #expect(try site.notes() == ["17/0", "17/3", "17/1", "17/2"])
                #expect(try await escrow.deadLetters.redrive() == 0)
            }
        }

        /// What comes after it in its lane is not tried: it would overtake.
        @Test func aRedriveThatFailsStopsItsLane() async throws {
            broken.set([1, 2])
            let escrow = try shop()
            try await site.running(escrow) {
                try await publish(escrow, 0..<3)
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'open'", is: 2)
                broken.set([1])
                try await escrow.deadLetters.redrive()
                try await site.until(
                    "SELECT count(*) FROM escrow_dead_letter WHERE state = 'open' AND attempts = 3", is: 1)
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'wanted'", is: 0)
                #expect(try site.notes() == ["17/0"])
                broken.set([])
                try await escrow.deadLetters.redrive()
                try await site.until("SELECT count(*) FROM note", is: 3)
                let notes = try site.notes()
                #expect(notes == ["17/0", "17/1", "17/2"])
            }
        }

        @Test func aDiscardedLetterIsClosed() async throws {
            broken.set([0])
            let escrow = try shop()
            try await site.running(escrow) {
                try await publish(escrow, 0..<1)
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'open'", is: 1)
                #expect(try await escrow.deadLetters.discard() == 1)
                #expect(try await escrow.deadLetters.list().isEmpty)
                #expect(try await escrow.deadLetters.list(state: .discarded).count == 1)
            }
        }
    }
}

private final class BrokenNumbers: Sendable {
    private let numbers = Mutex<Set<Int>>([])

    func set(_ new: Set<Int>) {
        numbers.withLock { $0 = new }
    }

    func contains(_ number: Int) -> Bool {
        numbers.withLock { $0.contains(number) }
    }
}
