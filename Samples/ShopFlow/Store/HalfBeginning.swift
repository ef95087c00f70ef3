import GRDB

/// Where a store's own half messages begin in the queues of one broker; see `flow-half.sql`.
struct HalfBeginning: Sendable, Equatable {
    var broker: String
    var half: Int64 = 0
    /// In the queue of the verdicts.
    var verdict: Int64 = 0

    /// By broker.
    static func read(_ db: Database) throws -> [String: HalfBeginning] {
        let rows = try Row.fetchAll(db, sql: "SELECT broker, half, verdict FROM half_beginning")
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (row[0], HalfBeginning(broker: row[0], half: row[1], verdict: row[2]))
            })
    }

    func insert(_ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO half_beginning (broker, half, verdict) VALUES (?, ?, ?)",
            arguments: [broker, half, verdict])
    }
}
