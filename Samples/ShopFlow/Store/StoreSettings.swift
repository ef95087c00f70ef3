import Foundation
import GRDB
import MQProtocol

/// What a store was made for; see `flow.sql`.
struct StoreSettings: Sendable, Equatable {
    var namespace: String
    var workload: WorkloadSettings
    var fingerprint: String
    var isEmbedded: Bool

    static func read(_ db: Database) throws -> StoreSettings? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM run") else { return nil }
        let name: String = row["source"]
        let orders: Int? = row["orders"]
        var workload = WorkloadSettings(orders.map(WorkloadSettings.Source.demo) ?? .file(name))
        workload.unpaid = row["unpaid"]
        workload.openingStock = row["opening_stock"]
        workload.seed = UInt64(bitPattern: row["seed"])
        return StoreSettings(
            namespace: row["namespace"], workload: workload, fingerprint: row["fingerprint"],
            isEmbedded: row["is_embedded"])
    }

    func insert(_ db: Database, _ input: InputCounts, now: Timestamp) throws {
        let orders: Int? = if case .demo(let count) = workload.source { count } else { nil }
        try db.execute(
            sql: """
                INSERT INTO run (only, namespace, source, orders, unpaid, opening_stock, seed, fingerprint, is_embedded,
                    begun)
                VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                namespace, workload.source.name, orders, workload.unpaid, workload.openingStock,
                Int64(bitPattern: workload.seed), fingerprint, isEmbedded, now.milliseconds,
            ])
        try db.execute(
            sql: "INSERT INTO input (only, lines, used, skipped, malformed) VALUES (1, ?, ?, ?, ?)",
            arguments: [input.lines, input.used, input.skipped, input.malformed])
    }

    static func readInput(_ db: Database) throws -> InputCounts {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM input") else { return InputCounts() }
        return InputCounts(
            lines: row["lines"], used: row["used"], skipped: row["skipped"], malformed: row["malformed"])
    }
}

extension WorkloadSettings.Source {
    /// `demo`, or the file's name without its folder.
    var name: String {
        switch self {
        case .demo: "demo"
        case .file(let path): URL(filePath: path).lastPathComponent
        }
    }
}
