import CoreMetrics
import Foundation
import GRDB
import MQProtocol

@testable import Escrow

/// A database file of its own, with Escrow's tables and a table of notes for handlers to write to.
final class TestDatabase: Sendable {
    let directory: URL
    let pool: DatabasePool
    let store: EscrowDatabase

    init(time: TimeSource = .system) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "escrow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        pool = try DatabasePool(path: directory.appending(path: "service.sqlite").path)
        store = try EscrowDatabase.open(pool, time: time)
        try pool.write { db in
            try db.execute(sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT")
        }
    }

    deinit {
        // Not closed here: the last reference may go on the pool's own thread, which would wait for itself.
        try? FileManager.default.removeItem(at: directory)
    }

    func writer(
        time: TimeSource = .system, steps: StepObserver = .none,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) -> Writer {
        Writer(pool, time: time, steps: steps, meters: Meters(service: "test", factory: metrics))
    }

    var service: ServiceContext {
        ServiceContext(
            names: ServiceNames(service: "test", namespace: Namespace(nil)), identity: store.identity,
            deadlineNames: ["payment"])
    }

    func notes() throws -> [String] {
        try pool.read { try String.fetchAll($0, sql: "SELECT text FROM note ORDER BY rowid") }
    }

    func count(_ sql: String) throws -> Int {
        try pool.read { try Int.fetchOne($0, sql: sql) ?? 0 }
    }

    static func note(_ db: Database, _ text: String) throws {
        try db.execute(sql: "INSERT INTO note (text) VALUES (?)", arguments: [text])
    }
}

struct Planned: Error, Equatable {
    var text = "planned"
}
