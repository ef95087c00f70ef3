import GRDB

extension Checks {
    /// Inventory: each line of an order is reserved at most once, and confirmed or released once.
    static func linesAreReservedOnce(_ db: Database) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: """
                WITH changes AS (
                    SELECT order_id, sum(state = 'reserved') AS begun,
                        sum(state IN ('confirmed', 'released')) AS ended, max(state) FILTER (WHERE state <> 'reserved')
                            AS ending
                    FROM holding_change GROUP BY order_id)
                SELECT reservation.order_id || '/' || reservation.position
                FROM reservation LEFT JOIN changes USING (order_id) LEFT JOIN holding USING (order_id)
                WHERE changes.begun IS NOT 1 OR changes.ended IS NOT 1 OR reservation.state IS NOT changes.ending
                    OR holding.state IS NOT changes.ending
                UNION
                SELECT changes.order_id FROM changes LEFT JOIN reservation USING (order_id)
                WHERE reservation.order_id IS NULL
                ORDER BY 1
                """)
        let lines = try sum(db, "SELECT count(*) FROM reservation")
        let confirmed = try sum(db, "SELECT count(*) FROM reservation WHERE state = 'confirmed'")
        let released = try sum(db, "SELECT count(*) FROM reservation WHERE state = 'released'")
        return CheckResult(
            "a line is reserved once, and confirmed or released once",
            "\(grouped(lines)) lines = \(grouped(confirmed)) confirmed + \(grouped(released)) released",
            failing: failing)
    }
}
