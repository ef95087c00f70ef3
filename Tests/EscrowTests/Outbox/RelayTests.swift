import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Synchronization
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

    @Test func afterTheEndAReceiptSaysWhatHasLeft() async throws {
        let (left, kept) = (TransactionID.random(), TransactionID.random())
        try await publish([event(1, nil)], fence: left)
        try await relaying({ _ in .acknowledged }) {
            try await until("SELECT count(*) FROM escrow_outbox", is: 0)
        }
        try await relay.awaitAcknowledgement(of: left)
        try await publish([event(2, nil)], fence: kept)
        let error = await #expect(throws: EscrowError.self) { try await relay.awaitAcknowledgement(of: kept) }
        #expect(error?.code == .stopped)
    }

    /// Nobody relays here, so nothing but the cancellation can end it.
    @Test func awaitingAReceiptEndsWithItsTask() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence)
        let waiting = Task { try await relay.awaitAcknowledgement(of: fence) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    // MARK: Verdicts

    private func half(at offset: Int64 = 1) -> HalfMessage {
        HalfMessage(
            topic: "orders", brokerName: "b", brokerAddress: "127.0.0.1:1", queueID: 0, logOffset: offset,
            queueOffset: offset, messageID: "ID", transactionID: "ID", status: .stored, keepsVerdictsFinal: false)
    }

    @Test func whatFailedOnceMayHaveArrived() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence, half: half())
        let attempts = Mutex<[Bool]>([])
        let deliver: Relay.Deliver = { row in
            let count = attempts.withLock { attempts in
                attempts.append(row.isRepeated)
                return attempts.count
            }
            return count < 3 ? .failed(Self.away) : .acknowledged
        }
        try await relaying(deliver) {
            try await relay.awaitAcknowledgement(of: fence)
        }
        #expect(attempts.withLock { $0.dropFirst() } == [true, true])
        #expect(try database.count("SELECT count(*) FROM escrow_fence WHERE acknowledged IS NOT NULL") == 1)
    }

    /// A stock broker asks about a copy: the verdict that is tried again names it.
    @Test func theVerdictNamesTheCopyThatTheBrokerAskedAbout() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil)], fence: fence, half: half())
        let offsets = Mutex<[Int64]>([])
        let (relay, writer, copy) = (relay, writer, half(at: 2))
        let deliver: Relay.Deliver = { row in
            let count = offsets.withLock { offsets in
                offsets.append(row.half?.queueOffset ?? -1)
                return offsets.count
            }
            guard count == 1 else { return .acknowledged }
            let moved = try? await writer.perform { db, _ in try OutboxTable.moveHalf(db, of: fence, to: copy) }
            if let moved { relay.moved(moved) }
            return .failed(Self.away)
        }
        try await relaying(deliver) {
            try await relay.awaitAcknowledgement(of: fence)
        }
        #expect(offsets.withLock { $0 } == [1, 2])
    }

    // MARK: Messages that no broker takes

    @Test func whoWaitsForAMessageThatCannotBeSentIsToldSo() async throws {
        let fence = TransactionID.random()
        try await publish([event(1, nil), event(2, nil)], fence: fence)
        let deliver: Relay.Deliver = { row in
            row.event.idempotencyKey == "1" ? .refused(MQClientError(.invalidMessage, "too odd")) : .acknowledged
        }
        try await relaying(deliver) {
            // Before it is given up, and afterwards.
            for _ in 0..<2 {
                let error = await #expect(throws: EscrowError.self) {
                    try await relay.awaitAcknowledgement(of: fence)
                }
                #expect(error?.code == .undeliverable && error?.message.contains("too odd") == true)
            }
            // Put back, it belongs to its transaction again, which nobody can see before it has left.
            try await writer.perform { db, context in
                _ = try DeadLetterTable.want(db, ids: nil, consumer: nil)
                for (id, letter) in try DeadLetterTable.wanted(db, limit: 9) {
                    try Undeliverable.putBack(db, letter, context)
                    try DeadLetterTable.redriven(db, id, now: context.now)
                }
                #expect(try OutboxTable.count(db, of: fence) == 1)
            }
        }
    }

    private func until(_ sql: String, is value: Int) async throws {
        let watch = CommitWatch([database.pool])
        for await _ in watch.commits where try database.count(sql) == value { return }
        throw CancellationError()
    }
}
