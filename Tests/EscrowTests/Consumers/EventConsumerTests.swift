import CoreMetrics
import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Synchronization
import Testing

@testable import Escrow

/// What a consumer makes of the messages of a queue, without a broker.
@Suite(.timeLimit(.minutes(1))) struct EventConsumerTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
    }

    private func consumer(
        retry: RetryPolicy = .standard, _ handler: @escaping @Sendable (Placed, Transaction) throws -> Outcome
    ) -> EventConsumer {
        consumer(
            [
                EventHandler(
                    tag: Placed.name, topic: "orders", policy: retry,
                    prepare: { body in
                        let event = try Placed.codec.decode(body)
                        return PreparedEvent(
                            idempotencyKey: event.idempotencyKey.text, orderingKey: event.orderingKey.text,
                            run: { try handler(event, $0) })
                    })
            ])
    }

    private func consumer(_ handlers: [EventHandler]) -> EventConsumer {
        EventConsumer(
            name: "stock",
            handlers: Dictionary(
                uniqueKeysWithValues: handlers.map { (EventAddress(topic: $0.topic, tag: $0.tag), $0) }),
            pieces: DeliveryPieces(
                service: database.service, consumer: "stock"),
            writer: database.writer(), logger: .silent)
    }

    private func noting(_ event: Placed, _ tx: Transaction) throws -> Outcome {
        try TestDatabase.note(tx.database, "\(event.order)/\(event.number)")
        return .done
    }

    @Test func anEventTakesEffectOnceHoweverOftenItIsDelivered() async throws {
        let consumer = consumer(noting)
        let messages = try [
            ReceivedMessage.delivery(Placed(order: "17")), .delivery(Placed(order: "18")),
            .delivery(Placed(order: "17")),
        ]
        #expect(await consumer.handle(messages) == [.consumed, .consumed, .consumed])
        #expect(await consumer.handle(messages) == [.consumed, .consumed, .consumed])
        #expect(try database.notes() == ["17/0", "18/0"])
        #expect(try database.count("SELECT value FROM escrow_counter WHERE name = 'duplicatesSuppressed'") == 4)
    }

    @Test func twoDeliveriesAtTheSameMomentAreOneEffect() async throws {
        let consumer = consumer(noting)
        let message = try ReceivedMessage.delivery(Placed(order: "17"))
        await withTaskGroup { tasks in
            for _ in 0..<20 { tasks.addTask { _ = await consumer.handle([message]) } }
        }
        #expect(try database.notes() == ["17/0"])
    }

    /// As two processes on one file do: SQLite puts them in order, and the inbox row decides.
    @Test func twoProcessesWithTheSameDeliveryHaveOneEffect() async throws {
        let pool = try DatabasePool(path: database.pool.path)
        _ = try EscrowDatabase.open(pool, time: .system)
        let other = Writer(
            pool, time: .system, steps: .none,
            meters: Meters(service: "test", factory: NOOPMetricsHandler.instance))
        let first = consumer(noting)
        let second = EventConsumer(
            name: first.name, handlers: first.handlers, pieces: first.pieces, writer: other, logger: .silent)
        for order in 0..<20 {
            let message = try ReceivedMessage.delivery(Placed(order: "\(order)"))
            async let a = first.handle([message])
            async let b = second.handle([message])
            #expect(await a == [.consumed])
            #expect(await b == [.consumed])
        }
        #expect(try database.notes() == (0..<20).map { "\($0)/0" })
    }

    /// Purges in between take nothing out that is still needed.
    @Test func aDuplicateAMinuteLaterHasNoEffect() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000))
        let writer = database.writer(time: .manual(clock))
        let quick = consumer(noting)
        let consumer = EventConsumer(
            name: quick.name, handlers: quick.handlers, pieces: quick.pieces, writer: writer, logger: .silent)
        #expect(await consumer.handle([try .delivery(Placed(order: "17"))]) == [.consumed])
        clock.advance(by: .seconds(60))
        let week = Duration.seconds(7 * 86_400)
        await Housekeeping(
            writer: writer, inboxRetention: week, fenceRetention: week, deadlineRetention: week,
            deadLetterRetention: week, logger: .silent
        ).purge()
        #expect(await consumer.handle([try .delivery(Placed(order: "17"))]) == [.consumed])
        #expect(try database.notes() == ["17/0"])
    }

    @Test func aFailureIsTriedAgainAtOnceAndItsWritesAreGone() async throws {
        let runs = Counted()
        let consumer = consumer { event, tx in
            try TestDatabase.note(tx.database, "run \(runs.next())")
            if runs.count < 3 { throw Planned() }
            return .done
        }
        #expect(await consumer.handle([try .delivery(Placed(order: "17"))]) == [.consumed])
        #expect(try database.notes() == ["run 3"])
        #expect(try database.count("SELECT count(*) FROM escrow_attempt") == 0)
    }

    /// The rest of the queue comes again behind it: the order of a key is kept.
    @Test func anOrderedFailureStopsItsQueueAndKeepsTheOrder() async throws {
        let switchBox = SwitchBox(true)
        let consumer = consumer(retry: RetryPolicy(immediate: 1, delays: [.seconds(9), .seconds(9)])) { event, tx in
            if event.number == 1, switchBox.isOn { throw Planned() }
            return try self.noting(event, tx)
        }
        let messages = try (0..<4).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        #expect(await consumer.handle(messages) == [.consumed, .suspend(.seconds(9))])
        #expect(try database.notes() == ["17/0"])
        #expect(try database.count("SELECT attempts FROM escrow_attempt") == 2)
        switchBox.turnOff()
        // Offered again too early: neither run nor counted.
        let early = await consumer.handle(Array(messages[1...]))
        guard case .suspend(let rest)? = early.first, early.count == 1 else {
            Issue.record("expected a pause, got \(early)")
            return
        }
        #expect(rest > .seconds(5) && rest <= .seconds(9))
        #expect(try database.count("SELECT attempts FROM escrow_attempt") == 2)
        try await database.pool.write { try $0.execute(sql: "UPDATE escrow_attempt SET not_before = 0") }
        #expect(await consumer.handle(Array(messages[1...])) == [.consumed, .consumed, .consumed])
        #expect(try database.notes() == ["17/0", "17/1", "17/2", "17/3"])
    }

    @Test func afterItsLastAttemptAnEventIsADeadLetterAndTheQueueGoesOn() async throws {
        let consumer = consumer(retry: RetryPolicy(immediate: 1, delays: [])) { event, tx in
            try TestDatabase.note(tx.database, "undone")
            if event.number == 0 { throw Planned(text: "never") }
            return try self.noting(event, tx)
        }
        let messages = try (0..<2).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        #expect(await consumer.handle(messages) == [.consumed, .consumed])
        #expect(try database.notes() == ["undone", "17/1"])
        let letter = try #require(
            try await database.pool.read { try DeadLetterTable.list($0, consumer: nil, state: .open, limit: 9) }.first)
        #expect(letter.attempts == 2 && letter.reason.contains("never"))
        #expect(letter.orderingKey == "17" && letter.event == "Placed" && letter.consumer == "stock")
        // A duplicate does not bring it back.
        #expect(await consumer.handle([messages[0]]) == [.consumed])
        #expect(try database.count("SELECT count(*) FROM escrow_dead_letter") == 1)
    }

    @Test func anUnorderedFailureHoldsUpNobody() async throws {
        let handler = EventHandler(
            tag: Noted.name, topic: "notes", policy: RetryPolicy(immediate: 0, delays: [.seconds(25)]),
            prepare: { body in
                let event = try Noted.codec.decode(body)
                return PreparedEvent(
                    idempotencyKey: event.idempotencyKey.text, orderingKey: nil,
                    run: { tx in
                        if event.text == "bad" { throw Planned() }
                        try TestDatabase.note(tx.database, event.text)
                        return .done
                    })
            })
        let consumer = consumer([handler])
        let messages = try ["a", "bad", "c"].map { try ReceivedMessage.delivery(Noted(text: $0)) }
        // Level 4 is 30 s: the shortest that is long enough.
        #expect(await consumer.handle(messages) == [.consumed, .retryLater(level: 4), .consumed])
        try await database.pool.write { try $0.execute(sql: "UPDATE escrow_attempt SET not_before = 0") }
        #expect(await consumer.handle([messages[1]]) == [.deadLetter])
        #expect(try database.notes() == ["a", "c"])
    }

    @Test func aBodyThatIsNoSuchEventIsADeadLetterAtOnce() async throws {
        let consumer = consumer(noting)
        let garbage = OutgoingEvent(
            topic: "orders", tag: "Placed", idempotencyKey: "garbage", orderingKey: "17", body: Data("{".utf8))
        #expect(
            await consumer.handle([.delivery(garbage), try .delivery(Placed(order: "17"))]) == [.consumed, .consumed])
        #expect(try database.notes() == ["17/0"])
        #expect(try database.count("SELECT count(*) FROM escrow_dead_letter WHERE state = 'open'") == 1)
    }

    /// Compressed as this client cannot, or damaged at its broker.
    @Test func aMessageThatCannotBeReadIsADeadLetterWithItsReason() async throws {
        let consumer = consumer(noting)
        var messages = try (0..<2).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        messages[0].unreadable = "compressed with ice"
        #expect(await consumer.handle(messages) == [.consumed, .consumed])
        #expect(try database.notes() == ["17/1"])
        let letter = try #require(
            try await database.pool.read { try DeadLetterTable.list($0, consumer: nil, state: .open, limit: 9) }.first)
        #expect(letter.reason.contains("compressed with ice") && letter.idempotencyKey == "placed/17/0")
        #expect(letter.orderingKey == "17" && String(decoding: letter.body, as: UTF8.self) == messages[0].text)
    }

    @Test func outcomesAreRecorded() async throws {
        let consumer = consumer { event, _ in
            switch event.number {
            case 0: .late
            case 1: .ignored("because")
            case 2: .deadLetter("never")
            default: .done
            }
        }
        let messages = try (0..<4).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        #expect(await consumer.handle(messages) == Array(repeating: .consumed, count: 4))
        let outcomes = try await database.pool.read { db in
            try String.fetchAll(db, sql: "SELECT outcome FROM escrow_inbox ORDER BY idempotency_key")
        }
        #expect(outcomes == ["late", "ignored", "dead", "done"])
    }

    /// Neither an attempt nor a retry: the queue pauses and nothing is lost.
    @Test func aBusyDatabaseIsNoFailureOfTheMessage() async throws {
        try await database.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 20") }
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: database.pool.path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        let consumer = consumer(noting)
        let messages = try (0..<3).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        #expect(await consumer.handle(messages) == [.suspend(.seconds(1))])
        try await other.writeWithoutTransaction { try $0.rollback() }
        #expect(try database.count("SELECT count(*) FROM escrow_attempt") == 0)
        #expect(await consumer.handle(messages) == [.consumed, .consumed, .consumed])
    }

    /// It ends the whole SQLite transaction, and every message of the queue runs again on its own: the first one meets
    /// the trouble once more, those behind it wait.
    @Test(arguments: [1, 3])
    func aFullDatabasePausesAQueueInsteadOfTryingForEver(count: Int) async throws {
        try await database.pool.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        let consumer = consumer { event, tx in
            try TestDatabase.note(tx.database, "\(event.number)" + String(repeating: " ", count: 100_000))
            return .done
        }
        let messages = try (0..<count).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        #expect(await consumer.handle(messages) == [.suspend(.seconds(1))])
        #expect(try database.count("SELECT count(*) FROM escrow_attempt") == 0)
        try await database.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 100000") }
        #expect(await consumer.handle(messages) == Array(repeating: .consumed, count: count))
        #expect(try database.notes().map { $0.prefix(1) } == (0..<count).map { "\($0)" })
    }

    /// The writes of a failed handler are undone, and then its attempt cannot be recorded: what stands behind it does
    /// not overtake it.
    @Test func anAttemptThatCannotBeRecordedHoldsTheRestOfTheQueue() async throws {
        try await database.pool.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER full BEFORE INSERT ON escrow_attempt BEGIN SELECT raise_full(); END
                    """)
        }
        try await database.pool.writeWithoutTransaction { db in
            db.add(
                function: DatabaseFunction("raise_full", argumentCount: 0) { _ in
                    throw DatabaseError(resultCode: .SQLITE_FULL, message: "full")
                })
        }
        let consumer = consumer { event, tx in
            if event.number == 0 { throw Planned() }
            return try self.noting(event, tx)
        }
        let messages = try (0..<3).map { try ReceivedMessage.delivery(Placed(order: "17", number: $0)) }
        #expect(await consumer.handle(messages) == [.suspend(.seconds(1))])
        #expect(try database.notes() == [])
    }

    /// A wrong statement is the handler's own mistake, with an end; it does not stop the queue for ever.
    @Test func aMistakeInAHandlersStatementIsAFailureOfTheHandler() async throws {
        let consumer = consumer(retry: RetryPolicy(immediate: 0, delays: [])) { _, tx in
            try tx.database.execute(sql: "INSERT INTO note (text) VALUES (?)", arguments: ["one", "too many"])
            return .done
        }
        #expect(await consumer.handle([try .delivery(Placed(order: "17"))]) == [.consumed])
        #expect(try database.count("SELECT count(*) FROM escrow_dead_letter") == 1)
    }

    @Test func whatAHandlerPublishesIsInTheOutboxWithItsWrites() async throws {
        let consumer = consumer(retry: RetryPolicy(immediate: 0, delays: [])) { event, tx in
            try tx.publish(Noted(text: event.order))
            if event.order == "bad" { throw Planned() }
            return .done
        }
        _ = await consumer.handle([try .delivery(Placed(order: "good")), try .delivery(Placed(order: "bad"))])
        let keys = try await database.pool.read {
            try OutboxTable.rows($0, after: 0, limit: 9).map(\.event.idempotencyKey)
        }
        #expect(keys == ["noted/good"])
    }
}

/// Counts the runs of a handler.
private final class Counted: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

private final class SwitchBox: Sendable {
    private let value: Mutex<Bool>
    var isOn: Bool { value.withLock { $0 } }

    init(_ on: Bool) {
        value = Mutex(on)
    }

    func turnOff() {
        value.withLock { $0 = false }
    }
}

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
