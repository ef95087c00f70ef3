import Foundation
import GRDB
import MQProtocol
import Schema
import Testing

@testable import Escrow

/// Files that an earlier version has made.
@Suite struct MigrationTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "migration-\(UUID().uuidString)")

    /// With a message in its outbox that has not left, and one that could not be sent.
    private func makeVersion1() throws -> DatabasePool {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let pool = try DatabasePool(path: directory.appending(path: "service.sqlite").path)
        try pool.write { db in
            try db.execute(sql: "CREATE TABLE escrow_schema (version INTEGER NOT NULL, made INTEGER NOT NULL) STRICT")
            for sql in Schema.versions[0] { try db.execute(sql: sql) }
            try db.execute(
                sql: """
                    INSERT INTO escrow_identity (only, identity) VALUES (1, x'000102030405060708090a0b0c0d0e0f');
                    INSERT INTO escrow_schema (version, made) VALUES (1, 5);
                    INSERT INTO escrow_outbox (topic, tag, idempotency_key, body, created)
                        VALUES ('orders', 'Placed', 'placed/17', x'7b7d', 5);
                    INSERT INTO escrow_dead_letter (consumer, idempotency_key, topic, tag, body, message_id, reason,
                        attempts, born, failed, state)
                        VALUES ('outbox', 'placed/18', 'orders', 'Placed', x'7b7d', '', 'too long', 1, 5, 6, 'open');
                    """)
        }
        return pool
    }

    @Test func aFileOfTheFirstVersionIsTakenOver() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let pool = try makeVersion1()
        let store = try EscrowDatabase.open(pool, time: .system)
        #expect(store.identity == "000102030405060708090a0b0c0d0e0f")
        let rows = try pool.read { try OutboxTable.rows($0, after: 0, limit: 9) }
        #expect(rows.map(\.event.idempotencyKey) == ["placed/17"] && rows[0].event.trace == nil)
        let letters = try pool.write { db in
            _ = try DeadLetterTable.want(db, ids: nil, consumer: nil)
            return try DeadLetterTable.wanted(db, limit: 9).map(\.letter)
        }
        #expect(letters.map(\.consumer) == ["outbox:orders/Placed"] && letters.allSatisfy(Undeliverable.holds))
        let versions = try pool.read { try Int.fetchAll($0, sql: "SELECT version FROM escrow_schema ORDER BY version") }
        #expect(versions == [1, Schema.versions.count])
        // A second opening finds nothing to do.
        #expect(try EscrowDatabase.open(pool, time: .system).identity == store.identity)
    }
}
