import GRDB
import Logging
import MQClient
import MQProtocol
import Synchronization
import Testing

@testable import Escrow

/// Events that end a deadline: in time, or after it has fired.
@Suite(.timeLimit(.minutes(1))) struct LateEventTests {
    private let database: TestDatabase
    private let escrow: Escrow
    private let payment = Deadline("payment", for: "17")

    init() throws {
        database = try TestDatabase()
        escrow = try Escrow("test", database: database.pool, configuration: .embedded())
        try escrow.onDeadline("payment") { _, _ in .done }
        try escrow.on(
            Placed.self, as: "stock", retry: RetryPolicy(immediate: 0, delays: []),
            before: { Deadline("payment", for: $0.order) },
            onTime: { event, tx in
                try TestDatabase.note(tx.database, "on time \(event.number)")
                if event.number == 9 { throw Planned() }
                return event.number == 8 ? .ignored("because") : .done
            },
            onLate: { event, tx in
                try TestDatabase.note(tx.database, "late \(event.number)")
                return event.number == 8 ? .ignored("because") : .done
            })
    }

    private func deliver(_ number: Int) async throws -> [ConsumeOutcome] {
        let handlers = try #require(escrow.registry.withLock { $0.consumers["stock"] })
        let consumer = EventConsumer(
            name: "stock", handlers: handlers,
            pieces: DeliveryPieces(
                service: escrow.serviceContext(), consumer: "stock"),
            writer: database.writer(), logger: .silent)
        return await consumer.handle([try .delivery(Placed(order: "17", number: number))])
    }

    private func arm(fired: Bool = false) throws {
        try database.pool.write { db in
            let now = Timestamp(milliseconds: 1_000_000)
            _ = try DeadlineTable.arm(db, payment, due: now, GroupContext(now: now))
            if fired { _ = try DeadlineTable.fire(db, payment, generation: nil, now: now) }
        }
    }

    private func state() throws -> String? {
        try database.pool.read { try String.fetchOne($0, sql: "SELECT state FROM escrow_deadline") }
    }

    private func outcome() throws -> String? {
        try database.pool.read { try String.fetchOne($0, sql: "SELECT outcome FROM escrow_inbox") }
    }

    @Test func inTimeItEndsTheDeadline() async throws {
        try arm()
        #expect(try await deliver(0) == [.consumed])
        #expect(try database.notes() == ["on time 0"])
        #expect(try state() == "cancelled")
        #expect(try outcome() == "done")
    }

    @Test func afterTheFiringItIsLateAndRecordedSo() async throws {
        try arm(fired: true)
        #expect(try await deliver(0) == [.consumed])
        #expect(try database.notes() == ["late 0"])
        #expect(try state() == "fired")
        #expect(try outcome() == "late")
    }

    /// What the handler says of it is not overwritten.
    @Test func aLateEventThatIsIgnoredIsRecordedAsIgnored() async throws {
        try arm(fired: true)
        _ = try await deliver(8)
        #expect(try outcome() == "ignored")
    }

    /// Nothing has been missed yet.
    @Test func withoutADeadlineItIsInTime() async throws {
        _ = try await deliver(0)
        #expect(try database.notes() == ["on time 0"])
        #expect(try state() == nil)
    }

    /// The deadline goes on: the event that would have ended it has not happened.
    @Test func aHandlerThatFailsLeavesTheDeadlineArmed() async throws {
        try arm()
        #expect(try await deliver(9) == [.consumed])
        #expect(try database.notes() == [])
        #expect(try state() == "armed")
        #expect(try outcome() == "dead")
    }

    /// The delivery comes again, when the deadline it has ended can fire no more.
    @Test func aSecondDeliveryIsNotLate() async throws {
        try arm()
        _ = try await deliver(0)
        #expect(try await deliver(0) == [.consumed])
        #expect(try database.notes() == ["on time 0"])
        #expect(try outcome() == "done")
    }
}
