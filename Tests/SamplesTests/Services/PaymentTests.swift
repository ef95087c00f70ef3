import Escrow
import GRDB
import MQProtocol
import ShopEvents
import Testing

@testable import OrderService

/// Payments and the deadlines that they end, in one transaction.
@Suite(.timeLimit(.minutes(1))) struct PaymentTests {
    private let stores: GoodShop
    private var database: DatabasePool { stores.orders }
    private let shop: OrderService

    /// Two orders that wait for their payment.
    init() async throws {
        stores = try GoodShop()
        shop = try OrderService(stores.orders, configuration: .embedded())
        _ = try await shop.escrow.transaction { tx in
            for order in ["1", "2"] {
                try OrderTable.insert(
                    tx.database, order, lines: [Line(position: 1, code: "A", quantity: 1)], now: tx.now)
                _ = try OrderTable.move(tx.database, order, from: .placed, to: .reserved, now: tx.now)
                try tx.arm(OrderService.paymentDeadline(of: order), after: .seconds(1800))
            }
        }
    }

    private func isArmed(_ order: String) async throws -> Bool {
        try await Inspection(database).deadlines(.armed).contains { $0.deadline.key == order }
    }

    @Test func aPaymentEndsTheDeadlineOfItsOrder() async throws {
        #expect(try await shop.pay("1", payment: "p").get() == .accepted)
        #expect(try await shop.pay("1", payment: "p").get() == .accepted)
        #expect(try await !isArmed("1"))
        #expect(try await shop.state(of: "1") == .paid)
    }

    /// The order would never end otherwise: neither paid nor cancelled by its deadline.
    @Test func aPaymentOfAnotherOrderIsRefusedAndLeavesTheDeadlineArmed() async throws {
        #expect(try await shop.pay("1", payment: "p").get() == .accepted)
        #expect(try await shop.pay("2", payment: "p").get() == .refused)
        #expect(try await isArmed("2"))
        #expect(try await shop.state(of: "2") == .reserved)
        let refunds = try await database.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM refund WHERE payment = 'p'")
        }
        #expect(refunds == 0)
    }
}
