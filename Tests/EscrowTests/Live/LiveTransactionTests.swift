import Foundation
import GRDB
import MQClient
import MQEmbedded
import Synchronization
import Testing

@testable import Escrow

extension LiveTests {
    /// Transactions, consumers and check-backs over a live broker.
    @Suite(.timeLimit(.minutes(1))) struct LiveTransactionTests {
        private let site: LiveSite

        init() throws {
            site = try LiveSite()
        }

        private func note(_ text: String) -> @Sendable (Transaction) throws -> Void {
            { tx in try TestDatabase.note(tx.database, text) }
        }

        @Test func aCommittedTransactionIsSeenByItsConsumerOnce() async throws {
            let escrow = try site.shop()
            try await site.running(escrow) {
                let result = try await escrow.transaction(Placed(order: "17"), body: note("placed"))
                guard case .committed(_, let receipt) = result else {
                    Issue.record("expected a commit, got \(result)")
                    return
                }
                try await receipt.visible()
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                try await site.until("SELECT count(*) FROM escrow_fence WHERE acknowledged IS NOT NULL", is: 1)
                #expect(try site.int("SELECT count(*) FROM escrow_outbox") == 0)
            }
        }

        @Test func aBodyThatThrowsGivesItsOwnErrorAndNothingIsPublished() async throws {
            let escrow = try site.shop()
            try await site.running(escrow) {
                await #expect(throws: Planned(text: "mine")) {
                    try await escrow.transaction(Placed(order: "17")) { tx in
                        try TestDatabase.note(tx.database, "undone")
                        throw Planned(text: "mine")
                    }
                }
                _ = try await escrow.transaction(Placed(order: "18"), body: note("placed")).get()
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 18/0'", is: 1)
                #expect(try site.notes() == ["placed", "stock 18/0"])
            }
        }

        @Test func aCallWithTheSameKeyGivesTheFirstResultAndDoesNotRunItsBody() async throws {
            let escrow = try site.shop()
            let counted = RunCount()
            try await site.running(escrow) {
                var numbers: [Int] = []
                for _ in 0..<3 {
                    let result = try await escrow.transaction(
                        publishing: [Placed(order: "17")], idempotencyKey: "place/17"
                    ) { _ in counted.next() }
                    numbers.append(try result.get())
                }
                #expect(numbers == [1, 1, 1])
                await withTaskGroup { tasks in
                    for _ in 0..<20 {
                        tasks.addTask {
                            let result = try? await escrow.transaction(
                                publishing: [Placed(order: "18")], idempotencyKey: "place/18"
                            ) { tx in
                                try TestDatabase.note(tx.database, "placed 18")
                                return "x"
                            }
                            #expect(result?.value == "x")
                        }
                    }
                }
                try await site.until("SELECT count(*) FROM note WHERE text LIKE 'stock%'", is: 2)
                #expect(try site.int("SELECT count(*) FROM note WHERE text = 'placed 18'") == 1)
                await #expect(throws: EscrowError.self) {
                    try await escrow.transaction(idempotencyKey: "place/17") { _ in "text" }
                }
            }
        }

        /// The verdict never leaves: the broker asks back and the fence answers.
        @Test func aWithheldVerdictIsSettledByACheckBack() async throws {
            var configuration = site.configuration
            configuration.withholdsVerdict = { $0 == "placed/17/0" }
            let escrow = try site.shop(configuration)
            try await site.running(escrow) {
                _ = try await escrow.transaction(Placed(order: "17"), body: note("placed")).get()
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                try await site.until("SELECT value FROM escrow_counter WHERE name = 'checkBacks'", is: 1)
            }
        }

        /// Asked back while the body waits for its turn, the service answers rollback: the body must not run then.
        @Test func aTransactionThatWasRolledBackByACheckBackIsFenced() async throws {
            let gate = OneShot()
            var configuration = site.configuration
            configuration.steps = StepObserver { step in
                // The half is stored; hold the writer until the broker has asked.
                if step == .halfStored { gate.wait() }
            }
            let escrow = try site.shop(configuration)
            try await site.running(escrow) {
                async let result = escrow.transaction(Placed(order: "17"), body: note("must not be"))
                try await site.until("SELECT count(*) FROM escrow_fence WHERE verdict = 'rollback'", is: 1)
                gate.open()
                guard case .fenced = try await result else {
                    Issue.record("the body ran after its rollback")
                    return
                }
                #expect(try site.notes().isEmpty)
            }
        }

        /// The service died after its commit; the next one settles it before anybody asks.
        @Test func aVerdictThatWasCutOffIsSentAtTheNextStart() async throws {
            try await site.withBroker { broker in
                var configuration = try site.configuration(broker)
                configuration.withholdsVerdict = { _ in true }
                let first = try site.shop(configuration)
                try await site.running(first) {
                    _ = try await first.transaction(Placed(order: "17"), body: note("placed")).get()
                }
                let second = try site.shop(site.configuration(broker))
                try await site.running(second) {
                    try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                }
            }
        }

        /// A restarted service answers check-backs before it has sent anything.
        @Test func aServiceThatHasSentNothingYetAnswersCheckBacks() async throws {
            try await site.withBroker { broker in
                let escrow = try site.shop(site.configuration(broker))
                try await site.running(escrow) {
                    let client = MQClient(
                        MQClientConfiguration(nameServers: try NameServerAddresses(broker.nameServers)))
                    let producer = try TransactionProducer(client, group: "shop-transactions") { _ in .unknown }
                    var message = Message(topic: "orders", body: "{\"order\":\"17\",\"number\":0}")
                    message.tag = "Placed"
                    message.properties = [
                        "ESCROW_TX": String(repeating: "a", count: 32), "ESCROW_KIND": "fenced",
                        "ESCROW_DB": escrow.databaseIdentity,
                    ]
                    _ = try await producer.sendHalf(message)
                    // Gone before the broker asks: only the service is left to answer.
                    await client.shutdown()
                    try await site.until("SELECT count(*) FROM escrow_fence WHERE verdict = 'rollback'", is: 1)
                }
            }
        }

        @Test func aCheckBackOfAnotherDatabaseIsNeverGuessed() async throws {
            try await site.withBroker { broker in
                let escrow = try site.shop(site.configuration(broker))
                try await site.running(escrow) {
                    let client = MQClient(
                        MQClientConfiguration(nameServers: try NameServerAddresses(broker.nameServers)))
                    let producer = try TransactionProducer(client, group: "shop-transactions") { _ in .unknown }
                    var message = Message(topic: "orders", body: "{}")
                    message.properties = [
                        "ESCROW_TX": String(repeating: "a", count: 32), "ESCROW_KIND": "fenced",
                        "ESCROW_DB": String(repeating: "b", count: 32),
                    ]
                    _ = try await producer.sendHalf(message)
                    await client.shutdown()
                    try await site.until("SELECT count(*) FROM escrow_unresolved", is: 1)
                    #expect(try site.int("SELECT count(*) FROM escrow_fence") == 0)
                }
            }
        }

        /// The broker lost its store: what the database has committed is sent again.
        @Test func aHalfThatTheBrokerHasLostIsSentAgainAsAMessage() async throws {
            try await site.withBroker { broker in
                let escrow = try site.shop(site.configuration(broker))
                try await site.running(escrow) {
                    try await site.pool.write { db in
                        let lost = HalfMessage(
                            topic: "orders", brokerName: "embedded", brokerAddress: "", queueID: 0, logOffset: 1 << 40,
                            queueOffset: 77, messageID: "LOST", transactionID: "LOST", status: .stored,
                            keepsVerdictsFinal: true)
                        let half = EncodedHalf(lost).text
                        try db.execute(
                            sql: """
                                INSERT INTO escrow_outbox (topic, tag, idempotency_key, body, half, created)
                                VALUES ('orders', 'Placed', 'placed/17/0',
                                        CAST('{"order":"17","number":0}' AS BLOB), ?, 0)
                                """, arguments: [half])
                    }
                    _ = try await escrow.transaction(Placed(order: "18"), body: note("placed")).get()
                    try await site.until("SELECT count(*) FROM note WHERE text LIKE 'stock%'", is: 2)
                    try await site.until("SELECT value FROM escrow_counter WHERE name = 'resentEvents'", is: 1)
                }
            }
        }

        @Test func withoutRunACallSaysSo() async throws {
            let escrow = try site.shop()
            try await escrow.transaction(body: note("no message, no broker")).get()
            #expect(try site.notes() == ["no message, no broker"])
        }

        @Test func aServiceWithAnotherDatabaseRefusesToShareTheGroups() async throws {
            try await site.withBroker { broker in
                let other = try LiveSite()
                let first = try site.shop(site.configuration(broker))
                try await site.running(first) {
                    _ = try await first.transaction(Placed(order: "17"), body: note("placed")).get()
                    try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                    let second = try Escrow("shop", database: other.pool, configuration: site.configuration(broker))
                    try second.on(Placed.self, as: "stock") { _, _ in .done }
                    do {
                        try await second.run()
                        Issue.record("it shares the group")
                    } catch let error as EscrowError {
                        #expect(error.code == .foreignMember && error.message.contains(first.databaseIdentity))
                    }
                }
            }
        }
    }
}

final class RunCount: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
