import GRDB
import MQProtocol
import ShopEvents
import TestSupport
import Testing

@testable import InventoryService

@Suite struct HoldingTableTests {
    private let database: DatabaseQueue
    private let now = Timestamp(milliseconds: 5)

    init() throws {
        database = try DatabaseQueue()
        try InventoryService.tables.make(in: database)
        try database.write { db in
            try InventoryService.stock(["A", "B"], quantity: 10, in: db)
        }
    }

    private func lines(_ pairs: (String, Int64)...) -> [Line] {
        pairs.enumerated().map { Line(position: $0 + 1, code: $1.0, quantity: $1.1) }
    }

    private func reserve(_ order: String, _ lines: [Line]) throws -> Reservation {
        try database.write { try HoldingTable.reserve($0, order, lines: lines, now: now) }
    }

    private func confirm(_ order: String) throws -> HoldingTable.Ending {
        try database.write { try HoldingTable.confirm($0, order, now: now) }
    }

    private func release(_ order: String) throws -> HoldingTable.Ending {
        try database.write { try HoldingTable.release($0, order, now: now) }
    }

    private func available(_ code: String) throws -> Int64? {
        try database.read { try InventoryService.available(code, in: $0) }
    }

    @Test func allLinesAreReservedOrNone() throws {
        #expect(try reserve("1", lines(("A", 4), ("B", 10))) == .reserved)
        #expect(try reserve("2", lines(("A", 4), ("B", 1))) == .refused("not enough of B"))
        #expect(try available("A") == 6)
        #expect(try available("B") == 0)
        #expect(try database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM reservation") } == 2)
    }

    /// Each line alone would fit.
    @Test func linesOfOneCodeAreCountedTogether() throws {
        #expect(try reserve("1", lines(("A", 6), ("A", 6))) == .refused("not enough of A"))
        #expect(try reserve("2", lines(("A", 5), ("A", 5))) == .reserved)
        #expect(try available("A") == 0)
    }

    @Test func aCodeThatWasNeverStockedIsOutOfStock() throws {
        #expect(try reserve("1", lines(("Z", 1))) == .refused("not enough of Z"))
        // Byte for byte: Swift takes these two for the same text.
        try database.write { try InventoryService.stock(["caf\u{E9}"], quantity: 1, in: $0) }
        #expect(try reserve("2", lines(("cafe\u{301}", 1))) == .refused("not enough of cafe\u{301}"))
        #expect(try reserve("3", lines(("caf\u{E9}", 1))) == .reserved)
    }

    @Test func anOrderIsAnsweredOnce() throws {
        #expect(try reserve("1", lines(("A", 4))) == .reserved)
        #expect(try reserve("1", lines(("A", 4))) == .repeated)
        #expect(try reserve("2", lines(("A", 40))) == .refused("not enough of A"))
        #expect(try reserve("2", lines(("A", 1))) == .repeated)
        #expect(try available("A") == 6)
    }

    @Test func confirmedGoodsLeaveOnce() throws {
        _ = try reserve("1", lines(("A", 4), ("A", 1)))
        #expect(try confirm("1") == .ended)
        #expect(try confirm("1") == .tooLate)
        #expect(try release("1") == .tooLate)
        #expect(try available("A") == 5)
        #expect(try database.read { try Int.fetchOne($0, sql: "SELECT on_hand FROM stock WHERE code = 'A'") } == 5)
    }

    @Test func releasedGoodsAreOnSaleAgain() throws {
        _ = try reserve("1", lines(("A", 4)))
        #expect(try release("1") == .ended)
        #expect(try release("1") == .tooLate)
        #expect(try confirm("1") == .tooLate)
        #expect(try available("A") == 10)
    }

    @Test func anEndThatOvertakesItsBeginningRefusesIt() throws {
        #expect(try release("1") == .overtook)
        #expect(try release("1") == .tooLate)
        guard case .refused = try reserve("1", lines(("A", 1))) else {
            Issue.record("the marker let the reservation pass")
            return
        }
        #expect(try confirm("2") == .overtook)
        guard case .refused = try reserve("2", lines(("A", 1))) else {
            Issue.record("the marker let the reservation pass")
            return
        }
        #expect(try available("A") == 10)
    }

    @Test func returnsGoBackToTheShelf() throws {
        let goods = lines(("A", 2), ("A", 1), ("new", 5))
        #expect(try database.write { try StockTable.takeBack($0, note: "C1", lines: goods) })
        #expect(try available("A") == 13)
        #expect(try available("new") == 5)
        // The inbox does not remember for ever.
        #expect(try !database.write { try StockTable.takeBack($0, note: "C1", lines: goods) })
        #expect(try available("A") == 13)
    }

    /// Many orders in many orders: whatever happens, nothing is made or lost.
    @Test func stockIsConserved() throws {
        var numbers = SeededGenerator()
        for _ in 0..<500 {
            let order = "\(Int.random(in: 0..<60, using: &numbers))"
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0, 1: _ = try reserve(order, lines(("A", .random(in: 1...4, using: &numbers)), ("B", 1)))
            case 2: _ = try confirm(order)
            default: _ = try release(order)
            }
        }
        let unbalanced = try database.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT code FROM stock
                    WHERE opening - on_hand <> (SELECT coalesce(sum(quantity), 0) FROM reservation
                        WHERE reservation.code = stock.code AND state = 'confirmed')
                    OR reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservation
                        WHERE reservation.code = stock.code AND state = 'reserved')
                    """)
        }
        #expect(unbalanced == [])
    }
}
