import GRDB
import MQProtocol
import ShopEvents
import Testing

@testable import OrderService

@Suite struct OrderTableTests {
    private let database: DatabaseQueue
    private let now = Timestamp(milliseconds: 5)

    init() throws {
        database = try DatabaseQueue()
        try OrderService.tables.make(in: database)
        try database.write { [now] db in
            try OrderTable.insert(db, "1", lines: [Line(position: 1, code: "A", quantity: 3)], now: now)
        }
    }

    private func move(_ old: OrderState, _ new: OrderState) throws -> Bool {
        try database.write { try OrderTable.move($0, "1", from: old, to: new, now: now) }
    }

    private func settle(_ payment: String, of order: String = "1") throws -> (verdict: PaymentVerdict, isNew: Bool) {
        try database.write { try OrderTable.settle($0, payment: payment, of: order, now: now) }
    }

    private func refunds() throws -> Int {
        try database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM refund") ?? 0 }
    }

    private func code(_ body: () throws -> Void) -> OrderError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? OrderError)?.code
        }
    }

    @Test func aStateChangesOnlyFromTheOneBefore() throws {
        #expect(try !move(.reserved, .paid))
        #expect(try move(.placed, .reserved))
        #expect(try !move(.placed, .reserved))
        #expect(try move(.reserved, .cancelled))
        #expect(try !move(.reserved, .paid))
        #expect(try database.read { try OrderTable.state($0, of: "1") } == .cancelled)
    }

    @Test func anOrderIsPlacedOnce() throws {
        #expect(throws: DatabaseError.self) {
            try database.write { try OrderTable.insert($0, "1", lines: [], now: now) }
        }
    }

    @Test func aPaymentInTimeIsAccepted() throws {
        _ = try move(.placed, .reserved)
        #expect(try settle("p") == (.accepted, true))
        #expect(try settle("p") == (.accepted, false))
        #expect(try refunds() == 0)
    }

    @Test func aSecondPaymentIsRefunded() throws {
        _ = try move(.placed, .reserved)
        _ = try settle("p")
        #expect(try settle("q") == (.refused, true))
        #expect(try refunds() == 1)
    }

    /// Its verdict is that order's own, and says nothing of another.
    @Test func aPaymentOfOneOrderPaysNoOther() throws {
        try database.write { [now] db in
            try OrderTable.insert(db, "2", lines: [Line(position: 1, code: "A", quantity: 1)], now: now)
            _ = try OrderTable.move(db, "2", from: .placed, to: .reserved, now: now)
        }
        _ = try move(.placed, .reserved)
        #expect(try settle("p") == (.accepted, true))
        #expect(code { _ = try settle("p", of: "2") } == .paymentTaken)
        #expect(try database.read { try OrderTable.state($0, of: "2") } == .reserved)
        #expect(try refunds() == 0)
    }

    @Test(arguments: [OrderState.cancelled, .rejected])
    func aPaymentForAnOrderThatIsOverIsRefundedOnce(_ state: OrderState) throws {
        _ = try move(.placed, state)
        #expect(try settle("p") == (.refused, true))
        #expect(try settle("p") == (.refused, false))
        #expect(try refunds() == 1)
        #expect(try database.read { try OrderTable.state($0, of: "1") } == state)
    }

    @Test func aPaymentMayComeTooEarlyOrForNothing() throws {
        #expect(code { _ = try settle("p") } == .notReservedYet)
        #expect(code { _ = try settle("p", of: "2") } == .unknownOrder)
        #expect(try refunds() == 0)
        #expect(try database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM payment") } == 0)
    }
}
