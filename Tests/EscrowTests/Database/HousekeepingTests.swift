import Foundation
import GRDB
import Logging
import MQProtocol
import Testing

@testable import Escrow

/// What is forgotten, and what is kept.
@Suite struct HousekeepingTests {
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000_000))
    private let database: TestDatabase
    private let housekeeping: Housekeeping

    init() throws {
        database = try TestDatabase(time: .manual(clock))
        housekeeping = Housekeeping(
            writer: database.writer(time: .manual(clock)), inboxRetention: .seconds(100), fenceRetention: .seconds(100),
            deadlineRetention: .seconds(100), deadLetterRetention: .seconds(100),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func keys(_ table: String, _ column: String = "idempotency_key") throws -> Set<String> {
        try database.pool.read { Set(try String.fetchAll($0, sql: "SELECT \(column) FROM \(table)")) }
    }

    /// A message and a deadline given up, in each state of their letters.
    private func giveUp() throws {
        let now = clock.now()
        try database.pool.write { db in
            for state in ["open", "wanted", "redriven", "discarded"] {
                for consumer in ["stock", Firing.consumer("payment")] {
                    let letter = DeadLetterTable.Letter(
                        consumer: consumer, idempotencyKey: state, topic: "t", tag: "e", body: Data([1]), messageID: "",
                        born: now)
                    try DeadLetterTable.insert(db, letter, reason: "broken", attempts: 1, now: now)
                }
                try db.execute(
                    sql: "UPDATE escrow_dead_letter SET state = ?1, ended = ?2 WHERE idempotency_key = ?1",
                    arguments: [state, state == "redriven" || state == "discarded" ? now.milliseconds : nil])
                try InboxTable.record(db, consumer: "stock", key: state, outcome: "dead", reason: nil, now: now)
                _ = try DeadlineTable.arm(db, Deadline("payment", for: state), due: now, GroupContext(now: now))
                try DeadlineTable.giveUp(db, Deadline("payment", for: state), now: now)
            }
            try InboxTable.record(db, consumer: "stock", key: "done", outcome: "done", reason: nil, now: now)
        }
    }

    @Test func whatWasGivenUpIsKeptAsLongAsItsLetterIsOpen() async throws {
        try giveUp()
        clock.advance(by: .seconds(99))
        await housekeeping.purge()
        #expect(try keys("escrow_inbox").count == 5)
        clock.advance(by: .seconds(2))
        await housekeeping.purge()
        #expect(try keys("escrow_inbox") == ["open", "wanted"])
        #expect(try keys("escrow_deadline", "key") == ["open", "wanted"])
        #expect(try keys("escrow_dead_letter") == ["open", "wanted"])
    }
}
