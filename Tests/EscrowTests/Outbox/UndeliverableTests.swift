import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Testing

@testable import Escrow

/// Messages that no broker takes.
@Suite(.timeLimit(.minutes(1))) struct UndeliverableTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
    }

    private func event(_ key: String, topic: String = "orders", order: String? = "17") -> OutgoingEvent {
        OutgoingEvent(
            topic: topic, tag: "Placed", idempotencyKey: key, orderingKey: order, body: Data("{}".utf8),
            trace: "traceparent\u{1}00-1-2-01")
    }

    private func letters() throws -> [DeadLetterTable.Letter] {
        try database.pool.write { db in
            _ = try DeadLetterTable.want(db, ids: nil, consumer: nil)
            return try DeadLetterTable.wanted(db, limit: 10).map(\.letter)
        }
    }

    /// A stock broker has its own limits, and says so with each attempt.
    @Test func whatABrokerCallsIllegalIsALetterAndItsLaneGoesOn() async throws {
        let writer = database.writer()
        try await writer.perform { db, context in
            try context.publish(db, event("illegal"))
            try context.publish(db, event("good"))
        }
        try await StockBroker.with(refusing: "illegal") { broker in
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(broker.address))
            configuration.logger = .silent
            try await MQClient.with(configuration) { client in
                let producer = try TransactionProducer(client, group: "shop") { _ in .unknown }
                let courier = Courier(
                    client: client, producer: producer, identity: database.store.identity, time: .system,
                    withholds: { _ in false })
                let relay = Relay(writer: writer, lease: .ofThisProcess(), logger: .silent)
                let running = Task { await relay.run(through: { await courier.deliver($0) }) }
                let watch = CommitWatch([database.pool])
                for await _ in watch.commits where try database.count("SELECT count(*) FROM escrow_outbox") == 0 {
                    break
                }
                running.cancel()
                await running.value
            }
            #expect(broker.keys == ["illegal", "good"], "each is sent once")
        }
        let letters = try letters()
        #expect(letters.map(\.consumer) == ["outbox:orders/Placed"])
        #expect(letters.map(\.idempotencyKey) == ["illegal"])
        #expect(letters.map(\.trace) == ["traceparent\u{1}00-1-2-01"])
        let reason = try await Inspection(database.pool).deadLetters(state: nil).first?.reason ?? ""
        #expect(reason.contains("code 13"), "\(reason)")
    }

    /// A key belongs to its event: that of another topic is another one.
    @Test func oneKeyInTwoTopicsIsTwoLetters() async throws {
        let writer = database.writer()
        for topic in ["orders", "returns", "orders"] {
            try await writer.perform { db, context in
                let row = OutboxRow(sequence: 1, fence: nil, event: event("k", topic: topic), half: nil)
                try Undeliverable.giveUp(db, row, reason: "too long", context)
            }
        }
        #expect(try letters().map(\.consumer) == ["outbox:orders/Placed", "outbox:returns/Placed"])
        #expect(try database.count("SELECT attempts FROM escrow_dead_letter WHERE topic = 'orders'") == 2)
    }

    /// Who waits for the newer transaction's message must hear that it is not sent.
    @Test func aLetterBelongsToTheLastTransactionThatPublishedIt() async throws {
        let writer = database.writer()
        let fences = [TransactionID.random(), .random()]
        for fence in fences {
            try await writer.perform { db, context in
                let row = OutboxRow(sequence: 1, fence: fence, event: event("k"), half: nil)
                try Undeliverable.giveUp(db, row, reason: "too long", context)
            }
        }
        let reasons = try await database.pool.read { db in try fences.map { try Undeliverable.reason(db, of: $0) } }
        #expect(reasons == [nil, "too long"])
        let plan = try await database.pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    EXPLAIN QUERY PLAN SELECT reason FROM escrow_dead_letter WHERE state IN ('open', 'wanted',
                    'discarded') AND message_id = '' AND consumer >= 'outbox:' AND consumer < 'outbox;'
                    """
            ).map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains("escrow_dead_letter_undeliverable") }, "\(plan)")
    }
}
