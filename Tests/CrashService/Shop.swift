import Escrow
import Foundation
import GRDB
import MQProtocol

struct OrderPlaced: Event {
    static let topic: Topic = "orders"
    var order: Int
    var customer: String
    var idempotencyKey: IdempotencyKey { "placed/\(order)" }
    var orderingKey: OrderingKey { .by(customer) }
}

struct StockReserved: Event {
    static let topic: Topic = "stock"
    var order: Int
    var idempotencyKey: IdempotencyKey { "reserved/\(order)" }
    var orderingKey: OrderingKey { .none }
}

/// Every effect is a row without a unique key, so that one that happens twice is seen.
struct Shop {
    let escrow: Escrow
    let crash: Crash

    static func makeTables(_ pool: DatabasePool) throws {
        try pool.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS placed (at INTEGER PRIMARY KEY, number INTEGER, customer TEXT) STRICT;
                    CREATE TABLE IF NOT EXISTS stock (at INTEGER PRIMARY KEY, number INTEGER, customer TEXT) STRICT;
                    CREATE TABLE IF NOT EXISTS reserved (at INTEGER PRIMARY KEY, number INTEGER) STRICT;
                    CREATE TABLE IF NOT EXISTS expired (at INTEGER PRIMARY KEY, number INTEGER, early INTEGER) STRICT;
                    """)
        }
    }

    func register() throws {
        let crash = crash
        try escrow.on(OrderPlaced.self, as: "stock") { event, tx in
            try tx.database.execute(
                sql: "INSERT INTO stock (number, customer) VALUES (?, ?)", arguments: [event.order, event.customer])
            try tx.publish(StockReserved(order: event.order))
            crash.reached("handler")
            return .done
        }
        try escrow.on(StockReserved.self, as: "orders") { event, tx in
            try tx.database.execute(sql: "INSERT INTO reserved (number) VALUES (?)", arguments: [event.order])
            return .done
        }
        try escrow.onDeadline("payment") { due, tx in
            try tx.database.execute(
                sql: "INSERT INTO expired (number, early) VALUES (?, ?)",
                arguments: [Int(due.key), tx.now < due.due])
            return .done
        }
    }

    /// Order 0 … count − 1; every third has a deadline. Placing one again is harmless.
    func place(_ count: Int) async throws {
        for order in 0..<count {
            let customer = "customer-\(order % 4)"
            let crash = crash
            let result = try await escrow.transaction(
                publishing: [OrderPlaced(order: order, customer: customer)], idempotencyKey: "place/\(order)"
            ) { tx in
                try tx.database.execute(
                    sql: "INSERT INTO placed (number, customer) VALUES (?, ?)", arguments: [order, customer])
                if order % 3 == 0 { try tx.arm(Deadline("payment", for: "\(order)"), after: .milliseconds(300)) }
                crash.reached("body")
                return order
            }
            _ = try result.get()
        }
    }

    /// Returns when every effect is there and nothing is open.
    static func awaitEnd(_ pool: DatabasePool, orders: Int) async throws {
        let wanted = [orders, orders, (orders + 2) / 3, 0, 0]
        while try await counts(pool) != wanted { try await TimeSource.system.sleep(for: .milliseconds(20)) }
    }

    private static func counts(_ pool: DatabasePool) async throws -> [Int] {
        try await pool.read { db in
            try [
                "SELECT count(DISTINCT number) FROM stock", "SELECT count(DISTINCT number) FROM reserved",
                "SELECT count(DISTINCT number) FROM expired", "SELECT count(*) FROM escrow_outbox",
                "SELECT count(*) FROM escrow_fence WHERE acknowledged IS NULL",
            ].map { try Int.fetchOne(db, sql: $0) ?? 0 }
        }
    }
}
