import GRDB

extension Checks {
    /// Orders: a paid order has one accepted payment, and each refused payment exactly one refund.
    static func paymentsAreSettledOnce(_ db: Database) throws -> CheckResult {
        let refunds = try String.fetchAll(
            db,
            sql: """
                WITH back AS (SELECT payment, count(*) AS times FROM refund GROUP BY payment)
                SELECT coalesce(payment.id, back.payment) FROM payment FULL JOIN back ON back.payment = payment.id
                WHERE payment.id IS NULL OR coalesce(back.times, 0) <> (payment.verdict = 'refused')
                ORDER BY 1
                """)
        let orders = try String.fetchAll(
            db,
            sql: """
                WITH accepted AS (
                    SELECT order_id, count(*) AS times FROM payment WHERE verdict = 'accepted' GROUP BY order_id)
                SELECT coalesce(shop_order.id, accepted.order_id)
                FROM shop_order FULL JOIN accepted ON accepted.order_id = shop_order.id
                WHERE coalesce(accepted.times, 0) <> (shop_order.state IS 'paid')
                ORDER BY 1
                """)
        let payments = try sum(db, "SELECT count(*) FROM payment")
        let accepted = try sum(db, "SELECT count(*) FROM payment WHERE verdict = 'accepted'")
        let back = try sum(db, "SELECT count(*) FROM refund")
        return CheckResult(
            "a payment is accepted once or refunded once",
            "\(grouped(payments)) payments = \(grouped(accepted)) accepted + \(grouped(back)) refunded",
            failing: refunds + orders)
    }
}
