import GRDB
import Testing

@testable import ShopFlow

/// Each check of one database: nothing in a good shop, and exactly what was planted in a bad one.
@Suite struct DatabaseCheckTests {
    private let shop: GoodShop

    init() throws {
        shop = try GoodShop()
    }

    /// The violations that the SQL plants in a database.
    private func planted(
        _ sql: String, in database: DatabasePool, _ check: (Database) throws -> CheckResult
    ) throws -> Int {
        let before = try database.read(check)
        #expect(before.violations == 0, "\(before)")
        try database.write { try $0.execute(sql: "PRAGMA ignore_check_constraints = ON; " + sql) }
        let after = try database.read(check)
        #expect(after.examples.isEmpty == (after.violations == 0))
        return after.violations
    }

    @Test(arguments: [
        "UPDATE stock SET on_hand = on_hand - 1",
        "UPDATE stock SET opening = 11",
        "UPDATE stock SET reserved = 1",
        "UPDATE reservation SET state = 'reserved' WHERE order_id = 'late'",
        "UPDATE reservation SET quantity = 1 WHERE order_id = 'paid' AND position = 1",
        "DELETE FROM stock",
        "INSERT INTO returned VALUES ('C9', 1, 'A', 1)",
        "INSERT INTO returned VALUES ('C9', 1, 'Z', 1)",
    ])
    func stock(_ sql: String) throws {
        #expect(try planted(sql, in: shop.inventory, Checks.stockIsConserved) == 1)
    }

    @Test(arguments: [
        "INSERT INTO order_change (order_id, state, changed) VALUES ('paid', 'paid', 9)",
        "INSERT INTO order_change (order_id, state, changed) VALUES ('paid', 'cancelled', 9)",
        "DELETE FROM order_change WHERE order_id = 'poor' AND state = 'rejected'",
        "UPDATE shop_order SET state = 'reserved' WHERE id = 'paid'",
        "UPDATE shop_order SET state = 'cancelled' WHERE id = 'paid'",
        "INSERT INTO order_change (order_id, state, changed) VALUES ('ghost', 'paid', 9)",
    ])
    func orderStates(_ sql: String) throws {
        #expect(try planted(sql, in: shop.orders, Checks.ordersAreDecidedOnce) == 1)
    }

    @Test(arguments: [
        "DELETE FROM refund",
        "INSERT INTO refund (payment, order_id, reason, ordered) VALUES ('p2', 'late', 'again', 9)",
        "INSERT INTO refund (payment, order_id, reason, ordered) VALUES ('p1', 'paid', 'wrong', 9)",
        "INSERT INTO refund (payment, order_id, reason, ordered) VALUES ('p9', 'paid', 'ghost', 9)",
        "INSERT INTO payment VALUES ('p3', 'paid', 'accepted', 9)",
        "DELETE FROM payment WHERE id = 'p1'",
    ])
    func refunds(_ sql: String) throws {
        #expect(try planted(sql, in: shop.orders, Checks.paymentsAreSettledOnce) == 1)
    }

    @Test(arguments: [
        ("INSERT INTO holding_change (order_id, state, changed) VALUES ('paid', 'reserved', 9)", 2),
        ("INSERT INTO holding_change (order_id, state, changed) VALUES ('paid', 'released', 9)", 2),
        ("INSERT INTO holding_change (order_id, state, changed) VALUES ('late', 'released', 9)", 1),
        ("UPDATE reservation SET state = 'released' WHERE order_id = 'paid' AND position = 2", 1),
        ("UPDATE reservation SET state = 'reserved' WHERE order_id = 'late'", 1),
        ("DELETE FROM reservation WHERE order_id = 'late'", 1),
        ("INSERT INTO reservation VALUES ('ghost', 1, 'A', 1, 'confirmed')", 1),
    ])
    func reservations(_ sql: String, _ count: Int) throws {
        #expect(try planted(sql, in: shop.inventory, Checks.linesAreReservedOnce) == count)
    }

    @Test(arguments: [
        "UPDATE escrow_deadline SET ended = due - 1 WHERE key = 'late'",
        "UPDATE order_change SET changed = 1999 WHERE order_id = 'late' AND state = 'cancelled'",
    ])
    func earlyDeadlines(_ sql: String) throws {
        #expect(try planted(sql, in: shop.orders, Checks.deadlinesAreNotEarly) == 1)
    }

    @Test func overdueDeadlines() throws {
        let sql = "UPDATE escrow_deadline SET state = 'armed', ended = NULL WHERE key = 'paid'"
        let check = { db in try Checks.noDeadlineIsOverdue(db, service: "orders", now: GoodShop.due) }
        #expect(try planted(sql, in: shop.orders, check) == 1)
        let early = try shop.orders.read {
            try Checks.noDeadlineIsOverdue($0, service: "orders", now: GoodShop.due - 1)
        }
        #expect(early.violations == 0)
    }

    @Test(arguments: [
        "INSERT INTO escrow_fence (id, verdict, kind, decided) VALUES (zeroblob(16), 'commit', 'x', 1)",
        "INSERT INTO escrow_outbox (topic, tag, idempotency_key, body, created) VALUES ('t', 'E', 'k', x'00', 1)",
    ])
    func messagesInFlight(_ sql: String) throws {
        let check = { db in try Checks.nothingIsInFlight(db, service: "orders") }
        #expect(try planted(sql, in: shop.orders, check) == 1)
    }

    @Test(arguments: [("open", 1), ("wanted", 1), ("redriven", 0), ("discarded", 0)])
    func deadLetters(_ state: String, _ count: Int) throws {
        let sql = """
            INSERT INTO escrow_dead_letter (consumer, idempotency_key, topic, tag, body, message_id, reason, attempts,
                born, failed, state) VALUES ('c', 'k', 't', 'E', x'00', 'm', 'r', 1, 1, 1, '\(state)')
            """
        let check = { db in try Checks.nothingIsDead(db, service: "orders") }
        #expect(try planted(sql, in: shop.orders, check) == count)
    }

    @Test(arguments: [
        "INSERT INTO account (address, name, registered) VALUES ('bob@example.org', 'Bob', 1)",
        "UPDATE effect SET state = 'unknown'",
        "DELETE FROM effect",
        "DELETE FROM account",
        """
        DROP INDEX effect_once; INSERT INTO effect (address, kind, state, not_before, ended)
            VALUES ('ada@example.org', 'mail', 'sent', 1, 2)
        """,
    ])
    func welcomes(_ sql: String) throws {
        #expect(try planted(sql, in: shop.registration, Checks.usersAreWelcomedOnce) == 1)
    }

    @Test(arguments: [
        ("DELETE FROM credit_note", 1), ("UPDATE shop_order SET lines = lines + 1 WHERE id = 'paid'", 1),
    ])
    func inputThatIsLost(_ sql: String, _ count: Int) throws {
        let check = { db in try Checks.inputIsAccountedFor(shop.input, orders: db) }
        #expect(try planted(sql, in: shop.orders, check) == count)
    }

    @Test func inputThatWasNotRead() throws {
        var input = shop.input
        input.lines += 1
        let result = try shop.orders.read { try Checks.inputIsAccountedFor(input, orders: $0) }
        #expect(result.violations == 1)
    }

    @Test func undecidedHalves() {
        #expect(Checks.noHalfIsUndecided([]).violations == 0)
        #expect(Checks.noHalfIsUndecided(["one", "two"]).violations == 2)
    }
}
