import GRDB

extension Checks {
    /// A service: nothing was given up on. In this flow no event is hopeless, so every dead letter is unexplained.
    static func nothingIsDead(_ db: Database, service: String) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: """
                SELECT consumer || ': ' || idempotency_key || ' (' || reason || ')' FROM escrow_dead_letter
                WHERE state IN ('open', 'wanted') ORDER BY id
                """)
        let given = try sum(db, "SELECT count(*) FROM escrow_dead_letter")
        return CheckResult(
            "\(service) has no dead letter",
            "\(grouped(given)) given up, \(grouped(given - Int64(failing.count))) of them redriven or discarded",
            failing: failing)
    }
}
