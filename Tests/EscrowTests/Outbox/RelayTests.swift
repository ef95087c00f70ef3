import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Testing

@testable import Escrow

/// The relay over a database, with brokers that answer as the test says.
@Suite(.timeLimit(.minutes(1))) struct RelayTests {
    private let database: TestDatabase
    private let writer: Writer
    private let relay: Relay

    init() throws {
        database = try TestDatabase()
        writer = database.writer()
        relay = Relay(
            writer: writer, lease: .ofThisProcess(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let relay = relay
        writer.whenPublished { relay.add($0) }
    }

    private func publish(
        _ events: [OutgoingEvent], fence: TransactionID? = nil, half: HalfMessage? = nil
    ) async throws {
        try await writer.perform { db, context in
            if let fence { _ = try Fence.enter(db, fence, kind: "fenced", key: nil, now: context.now) }
            for event in events { try context.publish(db, event, fence: fence, half: half.map { EncodedHalf($0) }) }
        }
    }

    private func event(_ number: Int, _ key: String?, topic: String = "orders") -> OutgoingEvent {
        OutgoingEvent(
            topic: topic, tag: "Placed", idempotencyKey: "\(number)", orderingKey: key, body: Data("{}".utf8))
    }

    /// Runs the relay beside `body`.
    private func relaying(
        _ deliver: @escaping Relay.Deliver, _ body: () async throws -> Void
    ) async throws {
        let relay = relay
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await relay.run(through: deliver) }
            try await body()
            tasks.cancelAll()
        }
    }

    private static let away = MQClientError(.brokerUnreachable, "away")

    /// More rows than are read ahead wait for a broker that is away: what goes to another one passes them.
    @Test func aBrokerThatIsAwayHoldsUpNobodyElse() async throws {
        let many = RelayLanes.capacity + 100
        try await publish((0..<many).map { event($0, "stuck", topic: "away") } + [event(many, "well")])
        let (arrived, arrives) = AsyncStream.makeStream(of: String.self)
        let deliver: Relay.Deliver = { row in
            guard row.event.topic != "away" else { return .failed(Self.away) }
            arrives.yield(row.event.idempotencyKey)
            return .acknowledged
        }
        try await relaying(deliver) {
            for await key in arrived {
                #expect(key == "\(many)")
                break
            }
        }
    }

    // MARK: Receipts

    @Test func aReceiptIsVisibleWhenAllItsMessagesAre() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, "a"), event(2, "b")], fence: fence)
        let (allowed, allow) = AsyncStream.makeStream(of: Void.self)
        let order = RunCount()
        let deliver: Relay.Deliver = { row in
            if row.event.idempotencyKey == "2" { for await _ in allowed { break } }
            return .acknowledged
        }
        try await relaying(deliver) {
            async let visible: Void = {
                try await relay.awaitAcknowledgement(of: fence)
                #expect(order.next() == 2)
            }()
            try await until("SELECT count(*) FROM escrow_outbox", is: 1)
            _ = order.next()
            allow.yield()
            try await visible
        }
    }

    /// Nobody relays here, so nothing but the cancellation can end it.
    @Test func awaitingAReceiptEndsWithItsTask() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence)
        let waiting = Task { try await relay.awaitAcknowledgement(of: fence) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    // MARK: Brokers that would deliver a repeated commit twice

    private func half(isFinal: Bool) -> HalfMessage {
        HalfMessage(
            topic: "orders", brokerName: "b", brokerAddress: "127.0.0.1:1", queueID: 0, logOffset: 1, queueOffset: 1,
            messageID: "ID", transactionID: "ID", status: .stored, keepsVerdictsFinal: isFinal)
    }

    /// A crash behind the verdict finds no row that would send it again.
    @Test(arguments: [true, false])
    func aVerdictThatMustNotBeRepeatedLeavesAfterItsRow(isFinal: Bool) async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence, half: half(isFinal: isFinal))
        let (seen, see) = AsyncStream.makeStream(of: Int.self)
        let database = database
        let deliver: Relay.Deliver = { row in
            see.yield((try? database.count("SELECT count(*) FROM escrow_outbox")) ?? -1)
            return .acknowledged
        }
        try await relaying(deliver) {
            for await rows in seen {
                #expect(rows == (isFinal ? 1 : 0))
                break
            }
            try await relay.awaitAcknowledgement(of: fence)
        }
    }

    @Test func whoWaitsForAVerdictThatIsOnItsWayWaitsOn() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence, half: half(isFinal: false))
        let (seen, see) = AsyncStream.makeStream(of: Bool.self)
        let (relay, writer) = (relay, writer)
        let deliver: Relay.Deliver = { _ in
            let isResolved = await withTaskGroup { tasks in
                tasks.addTask { (try? await relay.awaitAcknowledgement(of: fence)) != nil }
                tasks.addTask {
                    // Long enough for whoever looked at the outbox to have seen that the row is gone.
                    for _ in 0..<50 { try? await writer.perform { _, _ in } }
                    return false
                }
                defer { tasks.cancelAll() }
                return await tasks.next() ?? true
            }
            see.yield(isResolved)
            return .acknowledged
        }
        try await relaying(deliver) {
            for await isResolved in seen {
                #expect(!isResolved)
                break
            }
            try await relay.awaitAcknowledgement(of: fence)
        }
    }

    /// What certainly did not arrive stands in the outbox again, and its check-back is left to the relay.
    @Test func aVerdictThatDidNotLeaveIsTriedAgain() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence, half: half(isFinal: false))
        let attempts = RunCount()
        let deliver: Relay.Deliver = { row in
            #expect(row.half != nil)
            return attempts.next() < 3 ? .failed(Self.away) : .acknowledged
        }
        try await relaying(deliver) {
            try await relay.awaitAcknowledgement(of: fence)
        }
        #expect(attempts.next() == 4)
        #expect(try database.count("SELECT count(*) FROM escrow_fence WHERE acknowledged IS NOT NULL") == 1)
    }

    /// Another process is past the row by then: put back it could leave twice, and the second time out of order.
    @Test func aVerdictOfALostLeaseIsLeftToItsCheckBack() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000))
        let writer = database.writer(time: .manual(clock))
        let relay = Relay(writer: writer, lease: .ofThisProcess(), logger: .silent)
        let fence = TransactionID.random()
        try await publish([event(1, "a")], fence: fence, half: half(isFinal: false))
        try await publish([event(2, "a")])
        let other = Holder(host: "elsewhere", processID: 1).text
        let (sent, send) = AsyncStream.makeStream(of: String.self)
        let deliver: Relay.Deliver = { row in
            guard row.half != nil else {
                send.yield(row.event.idempotencyKey)
                return .acknowledged
            }
            _ = try? await writer.perform { db, _ in
                try db.execute(sql: "UPDATE escrow_lease SET holder = ?", arguments: [other])
            }
            return .failed(Self.away)
        }
        let running = Task { await relay.run(through: deliver) }
        for await key in sent {
            #expect(key == "2", "its lane goes on")
            break
        }
        running.cancel()
        await running.value
        #expect(try database.count("SELECT count(*) FROM escrow_outbox WHERE idempotency_key = '1'") == 0)
        #expect(try database.count("SELECT count(*) FROM escrow_fence WHERE acknowledged IS NOT NULL") == 1)
    }

    private func until(_ sql: String, is value: Int) async throws {
        let watch = CommitWatch([database.pool])
        for await _ in watch.commits where try database.count(sql) == value { return }
        throw CancellationError()
    }
}
