import Foundation
import GRDB
import MQProtocol
import Testing

@testable import Escrow

/// Dead letters that two processes on one file handle at the same time.
@Suite struct DeadLetterTableTests {
    private let database: TestDatabase
    private let now = Timestamp(milliseconds: 1_000_000)

    init() throws {
        database = try TestDatabase()
        try database.pool.write { db in
            for number in 0..<2 {
                let letter = DeadLetterTable.Letter(
                    consumer: "stock", idempotencyKey: "placed/17/\(number)", orderingKey: "17", topic: "orders",
                    tag: "Placed", body: Data("{}".utf8), messageID: "", born: now)
                try DeadLetterTable.insert(db, letter, reason: "planned", attempts: 1, now: now)
            }
            _ = try DeadLetterTable.want(db, ids: nil, consumer: nil)
        }
    }

    private func states() throws -> [String] {
        try database.pool.read { try String.fetchAll($0, sql: "SELECT state FROM escrow_dead_letter ORDER BY id") }
    }

    @Test func aFailureOpensTheLetterAndThoseBehindIt() throws {
        try database.pool.write { try DeadLetterTable.failedAgain($0, 1, reason: "again", now: now) }
        #expect(try states() == ["open", "open"])
    }

    /// The other process was faster: its effect has happened.
    @Test func aLetterThatWasHandledMeanwhileStaysHandled() throws {
        try database.pool.write { try DeadLetterTable.redriven($0, 1, now: now) }
        try database.pool.write { try DeadLetterTable.failedAgain($0, 1, reason: "late", now: now) }
        #expect(try states() == ["redriven", "wanted"])
    }

    @Test func aLetterThatFailedMeanwhileIsNotClosed() throws {
        try database.pool.write { try DeadLetterTable.failedAgain($0, 1, reason: "again", now: now) }
        try database.pool.write { try DeadLetterTable.redriven($0, 1, now: now) }
        #expect(try states() == ["open", "open"])
    }
}
