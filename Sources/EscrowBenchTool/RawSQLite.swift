import Foundation
import GRDB

/// The same rows as an idempotent consumer writes, by hand: an insert and an update each, 64 in a transaction, with
/// `synchronous=FULL`.
enum RawSQLite {
    static func measure(seconds: Double) async throws -> Measured {
        let directory = FileManager.default.temporaryDirectory.appending(path: "raw-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let pool = try DatabasePool(path: directory.appending(path: "raw.sqlite").path)
        let rate = try await pool.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    CREATE TABLE inbox (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
                    CREATE TABLE stock (sku INTEGER PRIMARY KEY, onHand INTEGER NOT NULL) STRICT;
                    """)
            for sku in 0..<1000 { try db.execute(sql: "INSERT INTO stock VALUES (?, 0)", arguments: [sku]) }
            let insert = try db.makeStatement(sql: "INSERT INTO inbox (key) VALUES (?) ON CONFLICT DO NOTHING")
            let update = try db.makeStatement(sql: "UPDATE stock SET onHand = onHand + 1 WHERE sku = ?")
            let started = ContinuousClock.now
            var done = 0
            while started.duration(to: .now) < .seconds(seconds) {
                try db.inTransaction(.immediate) {
                    for _ in 0..<64 {
                        try insert.execute(arguments: ["placed/order-\(done)"])
                        try update.execute(arguments: [done % 1000])
                        done += 1
                    }
                    return .commit
                }
            }
            return Double(done) / (started.duration(to: .now) / .seconds(1))
        }
        return Measured(perSecond: rate)
    }
}
