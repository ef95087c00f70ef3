import GRDB

extension Checks {
    /// Orders: no deadline fired early, and none is overdue.
    static func deadlinesAreNotEarly(_ db: Database) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: """
                SELECT key FROM escrow_deadline WHERE state = 'fired' AND ended < due
                UNION
                SELECT order_change.order_id FROM order_change
                    JOIN escrow_deadline ON name = 'payment' AND key = order_id AND escrow_deadline.state = 'fired'
                WHERE order_change.state = 'cancelled' AND changed < due
                ORDER BY 1
                """)
        let fired = try sum(db, "SELECT count(*) FROM escrow_deadline WHERE state = 'fired'")
        let lateness = try sum(db, "SELECT max(ended - due) FROM escrow_deadline WHERE state = 'fired'")
        return CheckResult(
            "no deadline is early", "\(grouped(fired)) fired, the latest \(grouped(lateness)) ms after its time",
            failing: failing)
    }

    /// A service: no deadline has passed without being fired or cancelled.
    ///
    /// - Parameter now: milliseconds since 1970.
    static func noDeadlineIsOverdue(_ db: Database, service: String, now: Int64) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: "SELECT name || ' of ' || key FROM escrow_deadline WHERE state = 'armed' AND due <= ? ORDER BY due",
            arguments: [now])
        let ended = try sum(db, "SELECT count(*) FROM escrow_deadline WHERE ended IS NOT NULL")
        return CheckResult(
            "\(service) has no overdue deadline", "\(grouped(ended)) ended, \(failing.count) overdue", failing: failing)
    }
}
