import GRDB
import MQProtocol
import ShopEvents

/// The rows of orders and payments; see `orders.sql`. Every function runs inside the caller's transaction.
enum OrderTable {
    static func insert(
        _ db: Database, _ order: String, lines: [Line], now: Timestamp
    ) throws {
        try db.cachedStatement(
            sql: "INSERT INTO shop_order (id, state, lines, units, placed) VALUES (?, 'placed', ?, ?, ?)"
        ).execute(arguments: [order, lines.count, lines.units, now.milliseconds])
        try record(db, order, .placed, reason: nil, now: now)
    }

    static func state(_ db: Database, of order: String) throws -> OrderState? {
        try OrderState.fetchOne(
            db.cachedStatement(sql: "SELECT state FROM shop_order WHERE id = ?"), arguments: [order])
    }

    /// Compare and set.
    ///
    /// - Returns: whether the order was in state `old`, and is in state `new` now.
    static func move(
        _ db: Database, _ order: String, from old: OrderState, to new: OrderState, reason: String? = nil,
        now: Timestamp
    ) throws -> Bool {
        try db.cachedStatement(
            sql: "UPDATE shop_order SET state = ?3, decided = ?4 WHERE id = ?1 AND state = ?2"
        ).execute(arguments: [order, old, new, new.isFinal ? now.milliseconds : nil])
        guard db.changesCount > 0 else { return false }
        try record(db, order, new, reason: reason, now: now)
        return true
    }

    private static func record(
        _ db: Database, _ order: String, _ state: OrderState, reason: String?, now: Timestamp
    ) throws {
        try db.cachedStatement(
            sql: "INSERT INTO order_change (order_id, state, reason, changed) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [order, state, reason, now.milliseconds])
    }

    /// Decides a payment, once for each payment: an order that waits for it becomes paid, any other is not changed and
    /// the money goes back.
    ///
    /// - Returns: the verdict, and whether it was given now; a repeat gives the first one again.
    /// - Throws: ``OrderError/Code/unknownOrder``, ``OrderError/Code/notReservedYet``,
    ///   ``OrderError/Code/paymentTaken``.
    static func settle(
        _ db: Database, payment: String, of order: String, now: Timestamp
    ) throws -> (verdict: PaymentVerdict, isNew: Bool) {
        if let verdict = try earlierVerdict(db, on: payment, of: order) { return (verdict, false) }
        let isAccepted = try move(db, order, from: .reserved, to: .paid, now: now)
        if !isAccepted { try refuse(db, payment, of: order, now: now) }
        let verdict = isAccepted ? PaymentVerdict.accepted : .refused
        try db.cachedStatement(
            sql: "INSERT INTO payment (id, order_id, verdict, received) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [payment, order, verdict.rawValue, now.milliseconds])
        return (verdict, true)
    }

    /// Nil when the payment is new.
    private static func earlierVerdict(
        _ db: Database, on payment: String, of order: String
    ) throws -> PaymentVerdict? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT verdict, order_id FROM payment WHERE id = ?"), arguments: [payment])
        guard let row, let verdict = PaymentVerdict(rawValue: row["verdict"]) else { return nil }
        let other: String = row["order_id"]
        guard other.utf8.elementsEqual(order.utf8) else {
            throw OrderError(
                .paymentTaken, "The payment \(payment) was for the order \(other): it cannot pay the order \(order).")
        }
        return verdict
    }

    private static func refuse(_ db: Database, _ payment: String, of order: String, now: Timestamp) throws {
        guard let state = try state(db, of: order) else {
            throw OrderError(.unknownOrder, "The payment \(payment) is for the order \(order), which was never placed.")
        }
        guard state != .placed else {
            throw OrderError(.notReservedYet, "The order \(order) still waits for its stock: pay again in a moment.")
        }
        try db.cachedStatement(
            sql: "INSERT INTO refund (payment, order_id, reason, ordered) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [payment, order, refundReason(state), now.milliseconds])
    }

    static func refundReason(_ state: OrderState) -> String { "the order is \(state.rawValue)" }

    static func hasCreditNote(_ db: Database, _ note: String) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM credit_note WHERE id = ?)"), arguments: [note])
            ?? false
    }

    static func insertCreditNote(_ db: Database, _ note: String, lines: [Line], now: Timestamp) throws {
        try db.cachedStatement(sql: "INSERT INTO credit_note (id, lines, units, accepted) VALUES (?, ?, ?, ?)")
            .execute(arguments: [note, lines.count, lines.units, now.milliseconds])
    }
}
