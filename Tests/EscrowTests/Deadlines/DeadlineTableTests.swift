import GRDB
import MQProtocol
import Synchronization
import Testing

@testable import Escrow

/// The rows of deadlines: what arms, extends, cancels and fires, and what is stale.
@Suite struct DeadlineTableTests {
    private let database: TestDatabase
    private let payment = Deadline("payment", for: "17")
    private let start = Timestamp(milliseconds: 1_000_000)
    private var due: Timestamp { start.advanced(by: .seconds(60)) }

    init() throws {
        database = try TestDatabase()
    }

    private func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try database.pool.write(body)
    }

    @Test func itFiresOnceAndNotBeforeItIsDue() throws {
        let generation = try write { try DeadlineTable.arm($0, payment, due: due, GroupContext(now: start)) }
        let early = due.advanced(by: .milliseconds(-1))
        #expect(
            try write { try DeadlineTable.fire($0, payment, generation: generation, now: early).found } == .early(due))
        #expect(try write { try DeadlineTable.fire($0, payment, generation: generation, now: due).found } == .due(due))
        #expect(try write { try DeadlineTable.fire($0, payment, generation: generation, now: due).found } == .stale)
    }

    @Test func aRingOfAnOlderGenerationIsStale() throws {
        let first = try write { try DeadlineTable.arm($0, payment, due: due, GroupContext(now: start)) }
        let second = try write { try DeadlineTable.arm($0, payment, due: due, GroupContext(now: start)) }
        #expect(second == first + 1)
        let later = due.advanced(by: .seconds(1))
        #expect(try write { try DeadlineTable.fire($0, payment, generation: first, now: later).found } == .stale)
        #expect(try write { try DeadlineTable.fire($0, payment, generation: second, now: later).found } == .due(due))
    }

    @Test func anExtensionMovesTheEndAndMakesEarlierRingsStale() throws {
        let first = try write { try DeadlineTable.arm($0, payment, due: due, GroupContext(now: start)) }
        let context = GroupContext(now: start)
        let extended = try #require(try write { try DeadlineTable.extend($0, payment, by: .seconds(30), context) })
        #expect(extended.due == due.advanced(by: .seconds(30)))
        #expect(try write { try DeadlineTable.fire($0, payment, generation: first, now: extended.due).found } == .stale)
        #expect(
            try write { try DeadlineTable.fire($0, payment, generation: extended.generation, now: extended.due).found }
                == .due(extended.due))
        #expect(try write { try DeadlineTable.extend($0, payment, by: .seconds(30), GroupContext(now: start)) } == nil)
    }

    @Test func aCancelThatComesFirstWinsHoweverLate() throws {
        let generation = try write { try DeadlineTable.arm($0, payment, due: due, GroupContext(now: start)) }
        let late = due.advanced(by: .seconds(3600))
        #expect(try write { try DeadlineTable.cancel($0, payment, GroupContext(now: late)) } == .cancelled)
        #expect(try write { try DeadlineTable.fire($0, payment, generation: generation, now: late).found } == .stale)
        #expect(try write { try DeadlineTable.fire($0, payment, generation: nil, now: late).found } == .stale)
        #expect(try write { try DeadlineTable.cancel($0, payment, GroupContext(now: late)) } == .notArmed)
    }

    @Test func aCancelAfterTheFiringIsTold() throws {
        _ = try write { try DeadlineTable.arm($0, payment, due: due, GroupContext(now: start)) }
        _ = try write { try DeadlineTable.fire($0, payment, generation: nil, now: due) }
        #expect(try write { try DeadlineTable.cancel($0, payment, GroupContext(now: due)) } == .alreadyFired)
        let other = Deadline("payment", for: "18")
        #expect(try write { try DeadlineTable.cancel($0, other, GroupContext(now: due)) } == .notArmed)
    }

    @Test func theSweeperFindsWhatIsOverdueAndWhatIsToBeTriedAgain() throws {
        try write { db in
            for (index, key) in ["a", "b", "c", "d"].enumerated() {
                let due = start.advanced(by: .seconds(index))
                _ = try DeadlineTable.arm(db, Deadline("payment", for: key), due: due, GroupContext(now: start))
            }
            try DeadlineTable.retry(db, Deadline("payment", for: "a"), at: start.advanced(by: .seconds(100)))
            try DeadlineTable.retry(db, Deadline("payment", for: "d"), at: start.advanced(by: .seconds(4)))
        }
        let found = try database.pool.read { db in
            try DeadlineTable.overdue(
                db, names: ["payment"], before: start.advanced(by: .seconds(1)), now: start.advanced(by: .seconds(5)),
                limit: 10)
        }
        #expect(found.map(\.key) == ["b", "d"])
        let others = try database.pool.read { db in
            try DeadlineTable.overdue(db, names: ["other"], before: due, now: due, limit: 10)
        }
        #expect(others.isEmpty, "what has no handler here does not crowd out the rest")
    }

    private func addFailure(_ db: Database) throws -> Int {
        try InboxTable.addAttempt(
            db, consumer: Firing.consumer(payment.name), key: payment.key, reason: "broken", now: start)
    }

    /// Each generation has all the attempts of its policy.
    @Test func aNewGenerationInheritsNoFailures() throws {
        try write { db in
            _ = try DeadlineTable.arm(db, payment, due: due, GroupContext(now: start))
            #expect(try addFailure(db) == 1)
            #expect(try addFailure(db) == 2)
            _ = try DeadlineTable.arm(db, payment, due: due, GroupContext(now: start))
            #expect(try addFailure(db) == 1, "armed anew")
            _ = try DeadlineTable.extend(db, payment, by: .seconds(1), GroupContext(now: start))
            #expect(try addFailure(db) == 1, "extended")
            _ = try DeadlineTable.cancel(db, payment, GroupContext(now: start))
            #expect(try !InboxTable.hasAttempts(db), "cancelled")
        }
    }

    /// Nearly every deadline ends by its cancel, and hardly any has failed before.
    @Test func withoutFailuresNothingIsDeletedOfThem() throws {
        let statements = Mutex<[String]>([])
        try write { db in
            db.trace { event in statements.withLock { $0.append("\(event)") } }
            let context = GroupContext(now: start)
            for _ in 0..<2 { _ = try DeadlineTable.arm(db, payment, due: due, context) }
            _ = try DeadlineTable.extend(db, payment, by: .seconds(1), context)
            #expect(try DeadlineTable.cancel(db, payment, context) == .cancelled)
            db.trace(options: [])
        }
        let all = statements.withLock { $0 }
        #expect(all.contains { $0.contains("UPDATE escrow_deadline SET state = 'cancelled'") })
        #expect(!all.contains { $0.contains("DELETE FROM escrow_attempt") }, "\(all)")
    }

    /// A payment after the timeout was given up: redriving the timeout must not cancel a paid order.
    @Test func aCancelEndsADeadlineThatWasGivenUp() throws {
        try write { db in
            _ = try DeadlineTable.arm(db, payment, due: due, GroupContext(now: start))
            try DeadlineTable.giveUp(db, payment, now: due)
        }
        #expect(try write { try DeadlineTable.cancel($0, payment, GroupContext(now: due)) } == .cancelled)
        #expect(try write { try DeadlineTable.fireDead($0, payment, now: due) } == nil)
    }

    /// A million armed deadlines must not be looked through for the few that are due.
    @Test func theSweepUsesTheIndex() throws {
        let plan = try database.pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    EXPLAIN QUERY PLAN SELECT name, key FROM escrow_deadline
                    WHERE state = 'armed' AND due <= 2 AND (retry IS NULL AND due <= 1 OR retry <= 2)
                    ORDER BY due LIMIT 3
                    """
            ).map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains("SEARCH") && $0.contains("escrow_deadline_due") }, "\(plan)")
    }
}
