import Foundation
import GRDB
import Logging
import MQProtocol
import Testing

@testable import Escrow

/// How long each table remembers.
@Suite(.timeLimit(.minutes(1))) struct RetentionTests {
    private let clock = ManualClock(start: Timestamp(milliseconds: 10_000_000_000))
    private let database: TestDatabase
    private let housekeeping: Housekeeping

    init() throws {
        database = try TestDatabase(time: .manual(clock))
        housekeeping = Housekeeping(
            writer: database.writer(time: .manual(clock)), inboxRetention: .seconds(100),
            fenceRetention: .seconds(200), deadlineRetention: .seconds(300), deadLetterRetention: .seconds(400),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func write(_ sql: String) throws {
        let text = sql.replacing(":now", with: "\(clock.now().milliseconds)")
        try database.pool.write { try $0.execute(sql: text) }
    }

    /// How many rows are left after so long.
    private func left(in table: String, after delay: Duration) async throws -> Int {
        clock.set(to: Timestamp(milliseconds: 10_000_000_000).advanced(by: delay))
        await housekeeping.purge()
        return try database.count("SELECT count(*) FROM \(table)")
    }

    @Test func theInboxAndFailedAttempts() async throws {
        try write(
            "INSERT INTO escrow_inbox (consumer, idempotency_key, outcome, handled) VALUES ('c', 'k', 'done', :now)")
        try write("INSERT INTO escrow_attempt VALUES ('c', 'k', 1, 'r', :now, :now, NULL)")
        for table in ["escrow_inbox", "escrow_attempt"] {
            #expect(try await left(in: table, after: .seconds(100)) == 1, "\(table)")
        }
        for table in ["escrow_inbox", "escrow_attempt"] {
            #expect(try await left(in: table, after: .seconds(101)) == 0, "\(table)")
        }
    }

    /// A fence whose messages are not acknowledged is kept, however old.
    @Test func fencesFromTheLastAcknowledgement() async throws {
        try write(
            """
            INSERT INTO escrow_fence (id, verdict, kind, decided, acknowledged)
            VALUES (x'00000000000000000000000000000001', 'commit', 'fenced', 0, :now),
                (x'00000000000000000000000000000002', 'commit', 'fenced', 0, NULL)
            """)
        #expect(try await left(in: "escrow_fence", after: .seconds(200)) == 2)
        #expect(try await left(in: "escrow_fence", after: .seconds(201)) == 1)
        #expect(try await left(in: "escrow_fence WHERE acknowledged IS NULL", after: .seconds(100_000)) == 1)
    }

    /// One that has fired tells late events from those on time; one that is armed is never forgotten.
    @Test func deadlinesByWhatBecameOfThem() async throws {
        try write(
            """
            INSERT INTO escrow_deadline (name, key, generation, due, state, armed, ended)
            VALUES ('payment', 'a', 1, 0, 'armed', 0, NULL), ('payment', 'b', 1, 0, 'cancelled', 0, :now),
                ('payment', 'c', 1, 0, 'fired', 0, :now)
            """)
        #expect(try await left(in: "escrow_deadline", after: .seconds(200)) == 3)
        #expect(try await left(in: "escrow_deadline", after: .seconds(300)) == 2)
        #expect(try await left(in: "escrow_deadline", after: .seconds(301)) == 1)
        #expect(try await left(in: "escrow_deadline WHERE state = 'armed'", after: .seconds(100_000)) == 1)
    }

    @Test func deadLettersFromTheirEnd() async throws {
        for state in ["open", "wanted", "redriven", "discarded"] {
            let ended = state == "redriven" || state == "discarded" ? ":now" : "NULL"
            try write(
                """
                INSERT INTO escrow_dead_letter (consumer, idempotency_key, topic, tag, body, message_id, reason,
                    attempts, born, failed, state, ended)
                VALUES ('c', '\(state)', 't', 'e', x'00', 'm', 'r', 1, 0, 0, '\(state)', \(ended))
                """)
        }
        #expect(try await left(in: "escrow_dead_letter", after: .seconds(400)) == 4)
        #expect(try await left(in: "escrow_dead_letter", after: .seconds(401)) == 2)
        #expect(try await left(in: "escrow_dead_letter", after: .seconds(100_000)) == 2)
    }

    /// Nobody asks for it any more.
    @Test func checkBacksWithoutVerdictFromTheLastQuestion() async throws {
        try write("INSERT INTO escrow_unresolved VALUES ('m', 'too old', 't', 0, :now, 3)")
        #expect(try await left(in: "escrow_unresolved", after: .seconds(200)) == 1)
        #expect(try await left(in: "escrow_unresolved", after: .seconds(201)) == 0)
    }

    /// More than one step of it.
    @Test func oneLookPurgesAllThatIsDue() async throws {
        try write(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1600)
            INSERT INTO escrow_inbox (consumer, idempotency_key, outcome, handled) SELECT 'c', i, 'done', :now FROM n
            """)
        try write("UPDATE escrow_inbox SET handled = :now + 50000 WHERE sequence > 1500")
        #expect(try await left(in: "escrow_inbox", after: .seconds(101)) == 100)
    }

    @Test func itRunsByItself() async throws {
        try write("INSERT INTO escrow_unresolved VALUES ('m', 'too old', 't', 0, 0, 3)")
        let running = Task { await housekeeping.run() }
        await clock.waitForSleepers(count: 1)
        clock.advance(by: .seconds(60))
        // It sleeps again when it has purged.
        await clock.waitForSleepers(count: 1)
        #expect(try database.count("SELECT count(*) FROM escrow_unresolved") == 0)
        running.cancel()
        await running.value
    }
}
