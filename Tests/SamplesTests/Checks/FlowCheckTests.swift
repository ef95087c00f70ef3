import GRDB
import InventoryService
import OrderService
import RegistrationMail
import ShopEvents
import Testing

@testable import ShopFlow

/// Checks that compare two services, or a service with the topics.
@Suite struct FlowCheckTests {
    private var shop: GoodShop

    init() throws {
        shop = try GoodShop()
    }

    // MARK: Orders against inventory

    private func paidStock() throws -> CheckResult {
        try shop.inventory.read { inventory in
            try shop.orders.read { try Checks.paidOrdersAreConfirmed(orders: $0, inventory: inventory) }
        }
    }

    @Test func whatIsPaidHasLeft() throws {
        let result = try paidStock()
        #expect(result.violations == 0)
        #expect(result.arithmetic == "3 units paid = 3 units confirmed")
    }

    @Test(arguments: [
        "UPDATE holding SET state = 'released' WHERE order_id = 'paid'",
        "UPDATE holding SET state = 'confirmed' WHERE order_id = 'late'",
        "UPDATE holding SET state = 'reserved' WHERE order_id = 'poor'",
        "DELETE FROM holding WHERE order_id = 'late'",
        "UPDATE reservation SET quantity = 7 WHERE order_id = 'paid' AND position = 1",
        "UPDATE reservation SET state = 'released' WHERE order_id = 'paid' AND position = 2",
        "INSERT INTO holding VALUES ('ghost', 'confirmed', 1)",
    ])
    func whatHasLeftWrongly(_ sql: String) throws {
        try shop.inventory.write { try $0.execute(sql: sql) }
        #expect(try paidStock().violations == 1)
    }

    // MARK: Exactly once

    private func handledOnce(_ database: DatabasePool, _ subscriptions: Set<Subscription>) throws -> CheckResult {
        try database.read { try Checks.eventsAreHandledOnce($0, service: "x", subscriptions, shop.topics) }
    }

    @Test func everyServiceHandlesEveryEventOnce() throws {
        #expect(try handledOnce(shop.orders, OrderService.subscriptions).violations == 0)
        let warehouse = try handledOnce(shop.inventory, InventoryService.subscriptions)
        #expect(warehouse.violations == 0)
        #expect(warehouse.arithmetic == "6 events in 6 messages = 6 handled")
        #expect(try handledOnce(shop.registration, RegistrationService.subscriptions).violations == 0)
    }

    @Test(arguments: [
        "DELETE FROM handled_event WHERE event = 'paid/paid'",
        "DELETE FROM escrow_inbox WHERE idempotency_key = 'paid/paid'",
        "UPDATE escrow_inbox SET outcome = 'dead' WHERE idempotency_key = 'paid/paid'",
        "INSERT INTO handled_event (consumer, event, handled) VALUES ('warehouse', 'paid/paid', 9)",
    ])
    func anEventIsLostOrDoubled(_ sql: String) throws {
        try shop.inventory.write { try $0.execute(sql: sql) }
        #expect(try handledOnce(shop.inventory, InventoryService.subscriptions).violations == 1)
    }

    @Test mutating func anEventThatNobodyHandledIsFound() throws {
        shop.publish(OrderPlaced.topic, ["OrderPlaced placed/new"])
        #expect(try handledOnce(shop.inventory, InventoryService.subscriptions).violations == 1)
    }

    @Test mutating func aSecondMessageOfAnEventIsNoViolation() throws {
        shop.publish(OrderPlaced.topic, ["OrderPlaced placed/paid"])
        let result = try handledOnce(shop.inventory, InventoryService.subscriptions)
        #expect(result.violations == 0)
        #expect(result.arithmetic == "6 events in 7 messages = 6 handled")
    }

    // MARK: Order

    private func inOrder() throws -> CheckResult {
        try shop.inventory.read {
            try Checks.keysAreHandledInOrder($0, service: "x", InventoryService.subscriptions, shop.topics)
        }
    }

    @Test mutating func aSecondMessageOfAnEventDoesNotCountForTheOrder() throws {
        #expect(try inOrder().violations == 0)
        shop.publish(OrderPlaced.topic, ["OrderPlaced placed/paid"])
        #expect(try inOrder().violations == 0)
    }

    @Test func twoEventsOfAKeyInTheWrongOrder() throws {
        try shop.inventory.write { db in
            try db.execute(
                sql: "UPDATE handled_event SET sequence = 1000 WHERE event = 'placed/paid'")
        }
        #expect(try inOrder().violations == 1)
    }

    @Test mutating func aKeyInTwoQueues() throws {
        shop.publish(OrderPlaced.topic, ["OrderCancelled cancelled/paid"], queue: "broker/1")
        try shop.handle(shop.inventory, "warehouse", ["cancelled/paid"])
        #expect(try inOrder().violations == 1)
    }
}
