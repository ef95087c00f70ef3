import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("A message sent in a second transaction with the key of its first")
struct SentAgainTests {
    private let base = TimeSource.system.now().advanced(by: .seconds(-60))

    private func half(_ body: String, sent second: Int64, by client: FakeClient) async throws -> SentHalf {
        try await client.sendHalf(body, to: "T", key: "K", born: base.advanced(by: .seconds(second)))
    }

    private func delivered(_ broker: LiveBroker, _ client: FakeClient) async throws -> [String] {
        broker.service.broker.store.dispatchPending()
        return try await client.pull("T").1.map { String(buffer: $0.body) }
    }

    @Test("After a rollback it is delivered when it is committed, also over restarts", arguments: [true, false])
    func afterRollback(restarts: Bool) async throws {
        try await LiveBroker.withDirectory { directory in
            var halves: [SentHalf] = []
            func run(_ body: (LiveBroker, FakeClient) async throws -> Void) async throws {
                try await LiveBroker.with(in: directory) { broker in
                    let client = FakeClient("p", of: broker)
                    try await body(broker, client)
                    await client.close()
                }
            }
            func first(_ broker: LiveBroker, _ client: FakeClient) async throws {
                halves.append(try await half("first", sent: 0, by: client))
                #expect(try await client.end(halves[0], .rollback) == (.success, .accepted))
            }
            func second(_ broker: LiveBroker, _ client: FakeClient) async throws {
                halves.append(try await half("second", sent: 5, by: client))
            }
            func verdicts(_ broker: LiveBroker, _ client: FakeClient) async throws {
                // An attempt of the first one, overtaken by its verdict.
                halves.append(try await half("late", sent: 0, by: client))
                #expect(broker.service.broker.transactions.undecidedCount == 1)
                #expect(try await client.end(halves[0], .rollback).1 == .accepted)
                #expect(try await client.end(halves[1], .commit) == (.success, .accepted))
                #expect(try await client.end(halves[2], .commit).1 == .opposite)
                #expect(try await delivered(broker, client) == ["second"])
                #expect(broker.service.broker.transactions.undecidedCount == 0)
            }
            if restarts {
                try await run(first)
                try await run(second)
                try await run { (broker, client) async throws in
                    #expect(broker.service.broker.transactions.undecidedCount == 1)
                    #expect(try await client.end(halves[0], .rollback).1 == .accepted)
                    #expect(try await client.end(halves[1], .commit) == (.success, .accepted))
                    #expect(try await delivered(broker, client) == ["second"])
                }
            } else {
                try await run { broker, client in
                    try await first(broker, client)
                    try await second(broker, client)
                    try await verdicts(broker, client)
                }
            }
        }
    }

    @Test("After a commit it is asked about, and not taken for decided by a start or by its first check")
    func afterCommit() async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                let early = try await client.sendHalf("other", to: "T", key: "Other", born: base)
                let first = try await half("first", sent: 0, by: client)
                #expect(try await client.end(first, .commit) == (.success, .accepted))
                _ = try await client.sendHalf(
                    "second", to: "T", key: "K", immunity: 0, born: base.advanced(by: .seconds(5)))
                #expect(try await client.end(early, .rollback) == (.success, .accepted))
                await client.close()
            }
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                _ = try await client.heartbeat(producers: ["P"])
                let transactions = broker.service.broker.transactions
                #expect(transactions.undecided.map(\.half.uniqueKey) == ["K"])
                broker.service.broker.store.dispatchPending()
                transactions.checkDue(clients: broker.service.broker.clients)
                await client.waitFor(.checkTransactionState)
                #expect(transactions.undecidedCount == 1)
                let place = try #require(transactions.undecided.first?.half)
                let half = SentHalf(
                    group: "P", key: "K", queueOffset: place.queueOffset.rawValue, logOffset: place.logOffset.rawValue)
                #expect(try await client.end(half, .commit) == (.success, .accepted))
                #expect(try await delivered(broker, client) == ["first", "second"])
                await client.close()
            }
        }
    }
}
