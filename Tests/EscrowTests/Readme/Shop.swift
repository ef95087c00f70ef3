import Escrow
import GRDB

struct OrderPlaced: Event {
    static let topic: Topic = "orders"
    var order: String
    var sku: String
    var idempotencyKey: IdempotencyKey { "placed/\(order)" }
    var orderingKey: OrderingKey { .by(order) }
}

/// Orders that are cancelled unless they are paid in time, and the stock that is reserved for them.
struct Shop {
    let escrow: Escrow

    init(_ database: DatabasePool, _ configuration: EscrowConfiguration = .embedded()) throws {
        escrow = try Escrow("shop", database: database, configuration: configuration)

        // A timeout: once, never early, and not at all when a cancel commits first.
        try escrow.onDeadline("payment") { due, tx in
            try tx.database.execute(
                sql: "UPDATE orders SET state = 'cancelled' WHERE id = ? AND state = 'placed'", arguments: [due.key])
            return .done
        }

        // An idempotent consumer: however often the event is delivered, the stock is reserved once.
        try escrow.on(OrderPlaced.self, as: "stock") { event, tx in
            try tx.database.execute(
                sql: "UPDATE stock SET reserved = reserved + 1 WHERE sku = ?", arguments: [event.sku])
            return .done
        }
    }

    /// A transaction: the row, the message and the timeout, or none of them. Called twice, the order is placed once:
    /// the first result is kept for a week after its message has left (`fenceRetention`).
    func place(_ order: String, sku: String, payWithin limit: Duration = .seconds(30 * 60)) async throws {
        let event = OrderPlaced(order: order, sku: sku)
        let result = try await escrow.transaction(publishing: [event], idempotencyKey: "place/\(order)") { tx in
            try tx.database.execute(sql: "INSERT INTO orders (id, state) VALUES (?, 'placed')", arguments: [order])
            try tx.arm(Deadline("payment", for: order), after: limit)
            return order
        }
        _ = try result.get()
    }

    func pay(_ order: String) async throws {
        let result = try await escrow.transaction { tx in
            guard try tx.cancel(Deadline("payment", for: order)) == .cancelled else { return false }
            try tx.database.execute(sql: "UPDATE orders SET state = 'paid' WHERE id = ?", arguments: [order])
            return true
        }
        print(try result.get() ? "\(order) is paid" : "\(order) was not paid in time")
    }
}
