import GRDB

extension Checks {
    /// A service: every message of a committed transaction was acknowledged by its broker.
    static func nothingIsInFlight(_ db: Database, service: String) throws -> CheckResult {
        let fences = try String.fetchAll(
            db,
            sql: """
                SELECT kind || ' ' || coalesce(idempotency_key, hex(id)) FROM escrow_fence
                WHERE acknowledged IS NULL ORDER BY decided
                """)
        let rows = try String.fetchAll(
            db, sql: "SELECT tag || ' ' || idempotency_key FROM escrow_outbox ORDER BY sequence")
        let all = try sum(db, "SELECT count(*) FROM escrow_fence")
        return CheckResult(
            "\(service) has no unacknowledged fence and no outbox row",
            "\(grouped(all)) fences, \(fences.count) unacknowledged, \(rows.count) outbox rows",
            failing: fences.map { "fence \($0)" } + rows.map { "outbox \($0)" })
    }

    /// The brokers: no half message waits for its verdict.
    static func noHalfIsUndecided(_ undecided: [String]) -> CheckResult {
        CheckResult(
            "no half message is undecided", "\(undecided.count) without a verdict at the broker", failing: undecided)
    }
}
