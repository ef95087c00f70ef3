import GRDB

extension Checks {
    /// Inventory: per stock code, opening − sold + returned = on hand, and nothing is reserved.
    static func stockIsConserved(_ db: Database) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: """
                WITH sold AS (
                        SELECT code, sum(quantity) AS units FROM reservation WHERE state = 'confirmed' GROUP BY code),
                    back AS (SELECT code, sum(quantity) AS units FROM returned GROUP BY code),
                    held AS (SELECT DISTINCT code FROM reservation WHERE state = 'reserved'),
                    known AS (SELECT code FROM stock UNION SELECT code FROM sold UNION SELECT code FROM back
                        UNION SELECT code FROM held)
                SELECT known.code FROM known LEFT JOIN stock USING (code) LEFT JOIN sold USING (code)
                    LEFT JOIN back USING (code) LEFT JOIN held ON held.code = known.code
                WHERE stock.code IS NULL OR stock.reserved <> 0 OR held.code IS NOT NULL
                    OR stock.opening - coalesce(sold.units, 0) + coalesce(back.units, 0) <> stock.on_hand
                ORDER BY known.code
                """)
        let opening = try sum(db, "SELECT sum(opening) FROM stock")
        let sold = try sum(db, "SELECT sum(quantity) FROM reservation WHERE state = 'confirmed'")
        let back = try sum(db, "SELECT sum(quantity) FROM returned")
        let onHand = try sum(db, "SELECT sum(on_hand) FROM stock")
        let codes = try sum(db, "SELECT count(*) FROM stock")
        return CheckResult(
            "stock is conserved, per stock code",
            "\(grouped(opening)) − \(grouped(sold)) sold + \(grouped(back)) returned = \(grouped(onHand)) on hand, "
                + "\(grouped(codes)) codes",
            failing: failing)
    }
}
