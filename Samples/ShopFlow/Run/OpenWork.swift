import GRDB

/// What the services still have to do, counted in their databases.
struct OpenWork: Sendable, Equatable {
    /// Orders without a final state, or whose stock has not followed yet.
    var orders = 0
    /// Payments that have arrived and are not decided.
    var payments = 0
    /// Goods on their way to the shelf.
    var returns = 0
    /// Welcomes that are not sent.
    var welcomes = 0
    /// Outbox rows, fences without acknowledgement and armed deadlines.
    var messages = 0

    var isNothing: Bool { self == OpenWork() }
    var count: Int { orders + payments + returns + welcomes + messages }

    static func count(_ store: Store) async throws -> OpenWork {
        var work = OpenWork()
        for (_, database) in store.services { work.messages += try await database.read(messages) }
        let counted = try await store.orders.read { db in
            (
                open: try count(db, "shop_order WHERE state IN ('placed', 'reserved')"),
                decided: try count(db, "shop_order WHERE state IN ('paid', 'cancelled', 'rejected')"),
                payments: try arrivedPayments(db) - count(db, "escrow_inbox WHERE consumer = 'payments'"),
                notes: try count(db, "credit_note")
            )
        }
        let stock = try await store.inventory.read { db in
            (
                decided: try count(db, "holding WHERE state <> 'reserved'"),
                notes: try Int.fetchOne(db, sql: "SELECT count(DISTINCT note) FROM returned") ?? 0
            )
        }
        work.orders = counted.open + max(0, counted.decided - stock.decided)
        work.payments = counted.payments
        work.returns = max(0, counted.notes - stock.notes)
        work.welcomes = try await store.registration.read { db in
            let planned = try count(db, "effect WHERE kind = 'mail'")
            return try max(0, count(db, "account") - planned) + count(db, "effect WHERE ended IS NULL")
        }
        return work
    }

    private static func arrivedPayments(_ db: Database) throws -> Int {
        try count(db, "escrow_fence WHERE kind = 'arrival' AND verdict = 'commit'")
    }

    private static func messages(_ db: Database) throws -> Int {
        try count(db, "escrow_outbox") + count(db, "escrow_fence WHERE acknowledged IS NULL")
            + count(db, "escrow_deadline WHERE state = 'armed'")
    }

    private static func count(_ db: Database, _ rows: String) throws -> Int {
        try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM \(rows)")) ?? 0
    }
}
