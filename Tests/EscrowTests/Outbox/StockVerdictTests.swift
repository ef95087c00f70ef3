import Foundation
import GRDB
import MQProtocol
import Synchronization
import Testing

@testable import Escrow
@testable import MQClient

/// Commits of half messages that a stock broker keeps: it answers to a verdict, and delivers a repeated one twice.
@Suite(.timeLimit(.minutes(1))) struct StockVerdictTests {
    private let database: TestDatabase
    private let writer: Writer
    private let fence = TransactionID.random()

    init() throws {
        database = try TestDatabase()
        writer = database.writer()
    }

    /// Relays a half of order 17 and, behind it, a message of the same order; returns when both have arrived.
    private func relay(
        isFinal: Bool = false, _ reply: @escaping @Sendable (Frame) -> StockBroker.Reply
    ) async throws -> [RequestCode] {
        try await StockBroker.with(reply) { broker in
            try await relaying(to: broker) { client in
                // Whatever the broker was when it took the half, it is a stock one now.
                _ = try await client.heartbeat(to: broker.address)
                // What stands there before is looked for first.
                let watch = CommitWatch([database.pool])
                for await _ in watch.commits where try database.count("SELECT count(*) FROM escrow_lease") == 1 {
                    break
                }
                try await publish(broker.half(isFinal: isFinal))
            }
            let wanted: Set<RequestCode> = [.endTransaction, .queryMessage, .sendMessageV2]
            return broker.requests.compactMap(\.requestCode).filter(wanted.contains)
        }
    }

    /// Relays what the database has and what `body` publishes, until the transaction is acknowledged.
    private func relaying(
        to broker: StockBroker, _ body: @Sendable (MQClient) async throws -> Void = { _ in }
    ) async throws {
        let relay = Relay(writer: writer, lease: .ofThisProcess(), logger: .silent)
        writer.whenPublished { relay.add($0) }
        try await broker.withClient { client in
            let producer = try TransactionProducer(client, group: "shop") { _ in .unknown }
            let courier = Courier(
                client: client, producer: producer, identity: database.store.identity, time: .system,
                withholds: { _ in false }, logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await relay.run(through: { await courier.deliver($0) }) }
                try await body(client)
                try await relay.awaitAcknowledgement(of: fence)
                tasks.cancelAll()
            }
        }
    }

    private func publish(_ half: HalfMessage) async throws {
        let fence = fence
        try await writer.perform { db, context in
            _ = try Fence.enter(db, fence, kind: TransactionKind.fenced, key: nil, now: context.now)
            for (number, half) in [EncodedHalf(half), nil].enumerated() {
                let event = try OutgoingEvent(Placed(order: "17", number: number), in: Namespace(nil))
                try context.publish(db, event, fence: fence, half: half)
            }
        }
    }

    /// Answers to the first request of a code, and to the others as usual.
    private func first(_ code: RequestCode, _ reply: StockBroker.Reply) -> @Sendable (Frame) -> StockBroker.Reply {
        let isFirst = Switch()
        return { $0.requestCode == code && isFirst.isFirst ? reply : .standard }
    }

    /// A crash before the answer finds the row, and a message of the same key leaves after it.
    @Test func theRowStaysUntilTheVerdictIsAnswered() async throws {
        let rows = Mutex<[Int]>([])
        let database = database
        let codes = try await relay { request in
            if request.requestCode == .endTransaction {
                let count = try? database.count("SELECT count(*) FROM escrow_outbox WHERE half IS NOT NULL")
                rows.withLock { $0.append(count ?? -1) }
            }
            return .standard
        }
        #expect(codes == [.endTransaction, .sendMessageV2])
        #expect(rows.withLock { $0 } == [1])
        #expect(try database.count("SELECT count(*) FROM escrow_outbox") == 0)
    }

    /// Nobody knows whether the verdict arrived. What it would have delivered is not there, so it is sent again.
    @Test(arguments: [true, false])
    func aVerdictWhoseAnswerIsLostIsRepeatedAndHoldsUpItsKey(isFinal: Bool) async throws {
        let codes = try await relay(isFinal: isFinal, first(.endTransaction, .hangUp))
        #expect(codes == [.endTransaction, .queryMessage, .endTransaction, .sendMessageV2])
    }

    @Test func aVerdictThatArrivedIsNotRepeated() async throws {
        let lost = first(.endTransaction, .hangUp)
        let codes = try await relay { $0.requestCode == .queryMessage ? StockBroker.found() : lost($0) }
        #expect(codes == [.endTransaction, .queryMessage, .sendMessageV2])
    }

    /// No index: rather twice than not at all.
    @Test func aBrokerThatCannotBeAskedGetsTheVerdictAgain() async throws {
        let lost = first(.endTransaction, .hangUp)
        let codes = try await relay { $0.requestCode == .queryMessage ? .code(.systemError) : lost($0) }
        #expect(codes == [.endTransaction, .queryMessage, .endTransaction, .sendMessageV2])
    }

    /// What a process that is gone left behind may have arrived.
    @Test func whatAnEarlierProcessLeftIsLookedForFirst() async throws {
        try await StockBroker.with({ $0.requestCode == .queryMessage ? StockBroker.found() : .standard }) { broker in
            try await publish(broker.half())
            try await relaying(to: broker)
            #expect(broker.requests(.endTransaction).isEmpty)
        }
    }

    /// An asynchronous flush and a power loss, or another store in its place.
    @Test(arguments: [
        "Find prepared transaction message failed", "The producer group wrong",
        "The transaction state table offset wrong", "The commit log offset wrong",
    ])
    func aHalfThatTheBrokerHasLostIsSentAsAMessage(remark: String) async throws {
        let codes = try await relay(first(.endTransaction, .code(.systemError, remark: remark)))
        #expect(codes == [.endTransaction, .sendMessageV2, .sendMessageV2])
        #expect(try database.count("SELECT value FROM escrow_counter WHERE name = 'resentEvents'") == 1)
    }

    // MARK: Plain messages

    /// Lost with the machine, it would be nowhere.
    @Test(arguments: [ResponseCode.flushDiskTimeout, .flushSlaveTimeout])
    func aMessageThatIsNotSafeInTimeIsSentAgain(code: ResponseCode) async throws {
        let codes = try await relay(first(.sendMessageV2, .code(code)))
        #expect(codes == [.endTransaction, .sendMessageV2, .sendMessageV2])
    }

    /// The broker would answer the same to every copy.
    @Test func aBrokerWithoutItsSlaveHasTheMessage() async throws {
        let codes = try await relay { $0.requestCode == .sendMessageV2 ? .code(.slaveNotAvailable) : .standard }
        #expect(codes == [.endTransaction, .sendMessageV2])
    }
}

private final class Switch: Sendable {
    private let wasUsed = Mutex(false)

    var isFirst: Bool {
        wasUsed.withLock { wasUsed in
            defer { wasUsed = true }
            return !wasUsed
        }
    }
}
