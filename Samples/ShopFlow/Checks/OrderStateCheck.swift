import GRDB

extension Checks {
    /// Orders: each has exactly one final state, reached once.
    static func ordersAreDecidedOnce(_ db: Database) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: """
                WITH final AS (
                    SELECT order_id, count(*) AS times, min(state) AS state FROM order_change
                    WHERE state IN ('paid', 'cancelled', 'rejected') GROUP BY order_id)
                SELECT coalesce(shop_order.id, final.order_id)
                FROM shop_order FULL JOIN final ON final.order_id = shop_order.id
                WHERE shop_order.id IS NULL OR final.times IS NOT 1 OR final.state <> shop_order.state
                    OR shop_order.decided IS NULL
                ORDER BY 1
                """)
        func count(_ state: String) throws -> Int64 {
            try Int64.fetchOne(db, sql: "SELECT count(*) FROM shop_order WHERE state = ?", arguments: [state]) ?? 0
        }
        let all = try sum(db, "SELECT count(*) FROM shop_order")
        let (paid, cancelled, rejected) = (try count("paid"), try count("cancelled"), try count("rejected"))
        return CheckResult(
            "every order has exactly one final state",
            "\(grouped(all)) = \(grouped(paid)) paid + \(grouped(cancelled)) cancelled + \(grouped(rejected)) rejected",
            failing: failing)
    }
}
