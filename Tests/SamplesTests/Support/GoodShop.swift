import Escrow
import GRDB
import MQProtocol

@testable import InventoryService
@testable import OrderService
@testable import RegistrationMail
@testable import ShopEvents
@testable import ShopFlow

/// Databases and topics of a flow in which everything went well: one order paid, one cancelled and paid late, one
/// rejected, one return, one user. Tests plant a violation in it.
struct GoodShop {
    let orders: DatabasePool
    let inventory: DatabasePool
    let registration: DatabasePool
    var topics = Topics()
    let input = InputCounts(lines: 8, used: 5, skipped: 2, malformed: 1)
    private let folder: TemporaryFolder

    var directory: String { folder.path }

    static let due: Int64 = 2000

    init() throws {
        folder = try TemporaryFolder()
        orders = try OrderService.tables.open(folder.path("orders.sqlite"))
        inventory = try InventoryService.tables.open(folder.path("inventory.sqlite"))
        registration = try RegistrationService.tables.open(folder.path("registration.sqlite"))
        for database in [orders, inventory, registration] {
            _ = try Escrow("test", database: database, configuration: .embedded())
        }
        try orders.write(Self.sell)
        try inventory.write(Self.store)
        try registration.write(Self.register)
        publish(
            OrderPlaced.topic, ["OrderPlaced placed/paid", "OrderPlaced placed/late", "OrderPlaced placed/poor"])
        publish(OrderPlaced.topic, ["OrderPaid paid/paid", "OrderCancelled cancelled/late"])
        publish(GoodsReturned.topic, ["GoodsReturned returned/C1"])
        publish(
            StockReserved.topic,
            ["StockReserved reserved/paid", "StockReserved reserved/late", "StockRejected rejected/poor"])
        publish(PaymentReceived.topic, ["PaymentReceived received/p2"])
        publish(UserRegistered.topic, ["UserRegistered registered/ada@example.org"])
        try handle(orders, "stock", ["reserved/paid", "reserved/late", "rejected/poor"])
        try handle(orders, "payments", ["received/p2"])
        try handle(
            inventory, "warehouse",
            ["placed/paid", "placed/late", "placed/poor", "paid/paid", "cancelled/late", "returned/C1"])
        try handle(registration, "welcome", ["registered/ada@example.org"])
    }

    static func lines(_ quantities: Int64..., code: String = "A") -> [Line] {
        quantities.enumerated().map { Line(position: $0 + 1, code: code, quantity: $1) }
    }

    static func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private static func sell(_ db: Database) throws {
        for (order, quantity) in [("paid", 2), ("late", 3), ("poor", 100)] as [(String, Int64)] {
            let lines = order == "paid" ? lines(quantity, 1) : lines(quantity)
            try OrderTable.insert(db, order, lines: lines, now: time(1))
        }
        _ = try OrderTable.move(db, "paid", from: .placed, to: .reserved, now: time(2))
        _ = try OrderTable.settle(db, payment: "p1", of: "paid", now: time(3))
        _ = try OrderTable.move(db, "late", from: .placed, to: .reserved, now: time(2))
        _ = try OrderTable.move(db, "late", from: .reserved, to: .cancelled, now: time(due + 5))
        _ = try OrderTable.settle(db, payment: "p2", of: "late", now: time(due + 9))
        _ = try OrderTable.move(db, "poor", from: .placed, to: .rejected, now: time(2))
        try OrderTable.insertCreditNote(db, "C1", lines: lines(1), now: time(4))
        try db.execute(
            sql: """
                INSERT INTO escrow_deadline (name, key, generation, due, state, armed, ended) VALUES
                    ('payment', 'paid', 1, ?1, 'cancelled', 2, 3), ('payment', 'late', 1, ?1, 'fired', 2, ?1 + 5)
                """,
            arguments: [due])
    }

    private static func store(_ db: Database) throws {
        try InventoryService.stock(["A"], quantity: 10, in: db)
        _ = try HoldingTable.reserve(db, "paid", lines: lines(2, 1), now: time(2))
        _ = try HoldingTable.reserve(db, "late", lines: lines(3), now: time(2))
        _ = try HoldingTable.reserve(db, "poor", lines: lines(100), now: time(2))
        _ = try HoldingTable.confirm(db, "paid", now: time(3))
        _ = try HoldingTable.release(db, "late", now: time(due + 6))
        _ = try StockTable.takeBack(db, note: "C1", lines: lines(1))
    }

    private static func register(_ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO account (address, name, registered) VALUES ('ada@example.org', 'Ada', 1)")
        try EffectTable.plan(db, .mail, for: "ada@example.org", now: time(1))
        for effect in try EffectTable.attempt(db, by: "test", limit: 10, now: time(1)) {
            try EffectTable.sent(db, effect.id, now: time(2))
        }
    }

    /// - Parameter events: the name and the idempotency key of each.
    mutating func publish(_ topic: Topic, _ events: [String], queue: String = "broker/0") {
        for event in events {
            let parts = event.split(separator: " ")
            topics.messages[topic.name, default: []].append(
                TopicMessage(
                    event: String(parts[0]), idempotencyKey: String(parts[1]), queue: queue,
                    offset: Int64(topics.messages[topic.name]?.count ?? 0)))
        }
    }

    /// - Parameter events: idempotency keys; what stands behind the slash is the ordering key.
    func handle(_ database: DatabasePool, _ consumer: String, _ events: [String]) throws {
        try database.write { db in
            for event in events {
                try HandledEvents.insert(
                    db, consumer: consumer, event: event, orderingKey: String(event.split(separator: "/")[1]),
                    handled: 5)
                try db.execute(
                    sql: """
                        INSERT INTO escrow_inbox (consumer, idempotency_key, outcome, handled) VALUES (?, ?, 'done', 5)
                        """,
                    arguments: [consumer, event])
            }
        }
    }
}
