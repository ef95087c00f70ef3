import Escrow
import Foundation
import GRDB
import MQProtocol
import Testing

extension LiveTests {
    /// Deadlines over a live broker.
    @Suite(.timeLimit(.minutes(1))) struct LiveDeadlineTests {
        private let site: LiveSite

        init() throws {
            site = try LiveSite()
        }

        private func shop(_ configuration: EscrowConfiguration) throws -> Escrow {
            let escrow = try Escrow("shop", database: site.pool, configuration: configuration)
            try escrow.onDeadline("payment") { due, tx in
                try TestDatabase.note(tx.database, "\(tx.now < due.due ? "early" : "fired") \(due.key)")
                return .done
            }
            return escrow
        }

        @Test func aDeadlineFiresOnceAndNotEarly() async throws {
            let escrow = try shop(site.configuration)
            try await site.running(escrow) {
                try await escrow.transaction { tx in
                    for key in 0..<50 {
                        try tx.arm(Deadline("payment", for: "\(key)"), after: .milliseconds(200 + key))
                    }
                }.get()
                try await site.until("SELECT count(*) FROM escrow_deadline WHERE state = 'fired'", is: 50)
                try await site.until("SELECT count(*) FROM escrow_outbox", is: 0)
                #expect(Set(try site.notes()) == Set((0..<50).map { "fired \($0)" }))
                #expect(try site.notes().count == 50)
            }
        }

        @Test func cancelledAndExtendedDeadlinesFireNotAndLater() async throws {
            let escrow = try shop(site.configuration)
            try await site.running(escrow) {
                try await escrow.transaction { tx in
                    for key in ["cancelled", "extended", "plain"] {
                        try tx.arm(Deadline("payment", for: key), after: .milliseconds(300))
                    }
                }.get()
                let found = try await escrow.transaction { tx in
                    #expect(try tx.extend(Deadline("payment", for: "extended"), by: .milliseconds(500)))
                    return try tx.cancel(Deadline("payment", for: "cancelled"))
                }.get()
                #expect(found == .cancelled)
                try await site.until("SELECT count(*) FROM escrow_deadline WHERE state = 'fired'", is: 2)
                #expect(try site.notes() == ["fired plain", "fired extended"])
            }
        }

        /// Moves the clock until it is cancelled: the components fall asleep again at their own pace.
        private func moving(_ clock: ManualClock, by step: Duration) -> Task<Void, Never> {
            Task {
                while !Task.isCancelled {
                    clock.advance(by: step)
                    await Task.yield()
                }
            }
        }

        /// Whoever commits first wins, and never both.
        @Test func paymentAndTimeoutInTheSameMillisecondHaveOneOutcome() async throws {
            let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
            var configuration = site.configuration
            configuration.time = .manual(clock)
            let escrow = try Escrow("shop", database: site.pool, configuration: configuration)
            try escrow.onDeadline("payment") { due, tx in
                try TestDatabase.note(tx.database, "cancelled \(due.key)")
                return .done
            }
            let count = 200
            try await site.running(escrow) {
                try await escrow.transaction { tx in
                    for key in 0..<count { try tx.arm(Deadline("payment", for: "\(key)"), after: .milliseconds(500)) }
                }.get()
                clock.advance(by: .milliseconds(499))
                let mover = moving(clock, by: .milliseconds(1))
                defer { mover.cancel() }
                try await withThrowingTaskGroup { tasks in
                    for key in 0..<count {
                        tasks.addTask {
                            try await escrow.transaction { tx in
                                if try tx.cancel(Deadline("payment", for: "\(key)")) == .cancelled {
                                    try TestDatabase.note(tx.database, "paid \(key)")
                                }
                            }.get()
                        }
                    }
                    try await tasks.waitForAll()
                }
                try await site.until("SELECT count(*) FROM escrow_deadline WHERE state = 'armed'", is: 0)
                let keys = try site.notes().compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                #expect(keys.sorted() == Array(0..<count))
            }
        }

        @Test func halfAnHourPassesInNoTimeOnAManualClock() async throws {
            let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
            var configuration = site.configuration
            configuration.time = .manual(clock)
            let escrow = try shop(configuration)
            try await site.running(escrow) {
                try await escrow.transaction { tx in
                    try tx.arm(Deadline("payment", for: "17"), after: .seconds(1800))
                }.get()
                #expect(try site.notes() == [])
                clock.advance(by: .seconds(1799))
                // A later commit shows that the time before the due one brought nothing.
                try await escrow.transaction { tx in try TestDatabase.note(tx.database, "still armed") }.get()
                let mover = moving(clock, by: .seconds(1))
                defer { mover.cancel() }
                try await site.until("SELECT count(*) FROM note", is: 2)
                #expect(try site.notes() == ["still armed", "fired 17"])
            }
        }

        /// The ring was lost with the broker's store: the row fires all the same.
        @Test func theSweeperFiresWhatNobodyRings() async throws {
            var configuration = site.configuration
            configuration.sweepInterval = .milliseconds(50)
            configuration.sweepGrace = .milliseconds(100)
            let escrow = try shop(configuration)
            try await site.pool.write { db in
                try db.execute(
                    sql: "INSERT INTO escrow_deadline VALUES ('payment', '17', 1, 1000, 'armed', 0, NULL, NULL)")
            }
            try await site.running(escrow) {
                try await site.until("SELECT count(*) FROM note", is: 1)
                #expect(try site.notes() == ["fired 17"])
            }
        }

        @Test func aDeadlineWhoseHandlerFailsIsTriedAgainAndThenADeadLetter() async throws {
            var configuration = site.configuration
            configuration.sweepInterval = .milliseconds(50)
            let escrow = try Escrow("shop", database: site.pool, configuration: configuration)
            let runs = RunCount()
            try escrow.onDeadline("payment", retry: RetryPolicy(immediate: 1, delays: [.milliseconds(100)])) {
                due, tx in
                if runs.next() <= 3 { throw Planned() }
                try TestDatabase.note(tx.database, "fired \(due.key)")
                return .done
            }
            try await site.running(escrow) {
                try await escrow.transaction { tx in
                    try tx.arm(Deadline("payment", for: "17"), after: .milliseconds(50))
                }.get()
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'open'", is: 1)
                let letter = try #require(try await escrow.deadLetters.list().first)
                #expect(letter.consumer == "deadline:payment" && letter.attempts == 3)
                #expect(try await escrow.deadLetters.redrive([letter.id]) == 1)
                try await site.until("SELECT count(*) FROM escrow_dead_letter WHERE state = 'redriven'", is: 1)
                #expect(try site.notes() == ["fired 17"])
            }
        }

        @Test func aDeadlineThatNobodyHandlesIsRefused() async throws {
            let escrow = try shop(site.configuration)
            await #expect(throws: EscrowError.self) {
                try await escrow.transaction { tx in try tx.arm(Deadline("nothing", for: "17"), after: .seconds(1)) }
            }
        }
    }
}
