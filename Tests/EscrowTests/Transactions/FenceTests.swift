import Foundation
import GRDB
import MQClient
import MQProtocol
import Testing

@testable import Escrow

/// The rows from which verdicts are read.
@Suite struct FenceTests {
    private let database: TestDatabase
    private let now = Timestamp(milliseconds: 1_000_000)
    private let id = TransactionID.random()

    init() throws {
        database = try TestDatabase()
    }

    private func enter(key: String? = nil, _ id: TransactionID) throws -> Fence.Entry {
        try database.pool.write { try Fence.enter($0, id, kind: "call", key: key, now: now) }
    }

    @Test func aTransactionThatEnteredCommits() throws {
        guard case .entered = try enter(id) else {
            Issue.record("nothing was there")
            return
        }
        #expect(try database.pool.write { try Fence.decide($0, id, kind: "fenced", now: now) } == .commit)
    }

    @Test func aCheckBackThatFindsNothingKeepsTheTransactionOutForGood() throws {
        #expect(try database.pool.write { try Fence.decide($0, id, kind: "fenced", now: now) } == .rollback)
        guard case .fenced = try enter(id) else {
            Issue.record("a rollback fence is there")
            return
        }
        #expect(try database.pool.write { try Fence.decide($0, id, kind: "fenced", now: now) } == .rollback)
    }

    @Test func aSecondCallWithTheKeyFindsTheFirst() throws {
        _ = try enter(key: "order-17", id)
        try database.pool.write { try Fence.setResult($0, id, Data("1".utf8)) }
        guard case .earlier(let first, let result) = try enter(key: "order-17", .random()) else {
            Issue.record("the key is taken")
            return
        }
        #expect(first == id && result == Data("1".utf8))
        guard case .entered = try enter(key: "order-18", .random()) else {
            Issue.record("another key is another call")
            return
        }
    }

    @Test func theTextOfAnIDIsReadBack() {
        #expect(TransactionID(text: id.description) == id)
        #expect(id.description.count == 32)
        for text in ["", "12", String(repeating: "g", count: 32), String(repeating: "A", count: 32)] {
            #expect(TransactionID(text: text) == nil, "\(text)")
        }
    }
}
