import Foundation
import MQClient
import MQEmbedded
import MQProtocol
import Synchronization
import Testing

@Suite struct TransactionTests {
    @Test("A committed message is seen, one rolled back is not")
    func verdicts() async throws {
        try await Embedded.with { _, client in
            let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
            let paid = try await producer.sendHalf(Self.message("paid"), orderedBy: "order-17")
            let failed = try await producer.sendHalf(Self.message("failed"), orderedBy: "order-17")
            #expect(paid.keepsVerdictsFinal)
            #expect(try await Embedded.messages(of: "Orders", client).isEmpty)
            #expect(try await producer.end(paid, .commit) == .accepted)
            #expect(try await producer.end(failed, .rollback) == .accepted)
            let seen = try await Embedded.messages(of: "Orders", client)
            #expect(seen.map(\.text) == ["paid"])
            #expect(seen.first?.messageID == paid.messageID)
            #expect(seen.first?.queueID == paid.queueID)
        }
    }

    @Test("The first verdict is final: repeated it is accepted, the opposite one is refused")
    func final() async throws {
        try await Embedded.with { _, client in
            let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
            let half = try await producer.sendHalf(Self.message("paid"))
            #expect(try await producer.end(half, .commit) == .accepted)
            #expect(try await producer.end(half, .commit) == .accepted)
            #expect(try await producer.end(half, .rollback) == .opposite)
            #expect(try await Embedded.messages(of: "Orders", client).count == 1)
        }
    }

    @Test("A verdict that is not sent is asked for, until it is known")
    func checkBack() async throws {
        try await Embedded.with(Self.quickChecks()) { _, client in
            let asked = AsyncStream<CheckBack>.makeStream()
            let count = Counter()
            let producer = try TransactionProducer(client, group: "Shop") { check in
                asked.continuation.yield(check)
                return count.next() < 2 ? .unknown : .commit
            }
            try await Self.serving(producer) {
                let half = try await producer.sendHalf(Self.message("paid"))
                var questions = asked.stream.makeAsyncIterator()
                for _ in 0..<2 {
                    let check = try #require(await questions.next())
                    #expect(check.messageID == half.messageID)
                    #expect(check.message.text == "paid")
                    #expect(check.message.topic == "Orders")
                    #expect(check.half.logOffset == half.logOffset)
                    #expect(check.half.brokerName == half.brokerName)
                    #expect(check.brokerAddress == half.brokerAddress)
                }
                let queue = MessageQueue(topic: "Orders", brokerName: half.brokerName, queueID: half.queueID)
                #expect(try await Embedded.message(of: queue, at: 0, client).messageID == half.messageID)
            }
        }
    }

    @Test("A check-back reaches a process that was started again and has sent nothing")
    func checkBackAfterRestart() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = Self.quickChecks(directory)
            let half = try await Embedded.with(EmbeddedBrokerConfiguration(directory: directory)) { _, client in
                // Nobody answers: check-backs wait in the producer that is not running.
                let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
                return try await producer.sendHalf(Self.message("paid"))
            }
            try await Embedded.with(configuration) { _, client in
                let producer = try TransactionProducer(client, group: "Shop") { check in
                    check.messageID == half.messageID ? .commit : .unknown
                }
                try await Self.serving(producer) {
                    let queue = MessageQueue(topic: "Orders", brokerName: half.brokerName, queueID: half.queueID)
                    while try await client.topicNames().contains("Orders") == false {}
                    #expect(try await Embedded.message(of: queue, at: 0, client).text == "paid")
                }
            }
        }
    }

    @Test("A half message that was kept in a database is decided after a restart at another port")
    func restart() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = EmbeddedBrokerConfiguration(directory: directory)
            let half = try await Embedded.with(configuration) { _, client in
                let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
                return try await producer.sendHalf(Self.message("paid"))
            }
            try await Embedded.with(configuration) { broker, client in
                #expect(half.brokerAddress != broker.address)
                let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
                #expect(try await producer.end(half, .commit) == .accepted)
                #expect(try await Embedded.messages(of: "Orders", client).map(\.messageID) == [half.messageID])
            }
        }
    }

    @Test("A half message that its broker has lost is told from one that is refused")
    func wipedStore() async throws {
        let half = try await Embedded.with { _, client in
            let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
            return try await producer.sendHalf(Self.message("paid"))
        }
        try await Embedded.with { _, client in
            let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
            #expect(try await producer.end(half, .commit) == .unknownHalf)
        }
    }

    @Test("The delay of a half message begins with its commit")
    func delayedHalf() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
        var configuration = EmbeddedBrokerConfiguration()
        configuration.time = .manual(clock)
        try await Embedded.with(configuration) { _, client in
            let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
            var message = Self.message("later")
            message.delay = .level(5)
            let half = try await producer.sendHalf(message)
            #expect(try await producer.end(half, .commit) == .accepted)
            #expect(try await Embedded.messages(of: "Orders", client).isEmpty)
            clock.advance(by: .seconds(60))
            let queue = MessageQueue(topic: "Orders", brokerName: half.brokerName, queueID: half.queueID)
            #expect(try await Embedded.message(of: queue, at: 0, client).text == "later")
        }
    }

    @Test("Many transactions at once come out as they were decided")
    func many() async throws {
        try await Embedded.with { _, client in
            let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
            let committed = try await withThrowingTaskGroup(of: [String].self) { tasks in
                for task in 0..<16 {
                    tasks.addTask {
                        var committed: [String] = []
                        for number in 0..<25 {
                            let half = try await producer.sendHalf(Self.message("\(task)-\(number)"))
                            let commits = (task + number) % 3 != 0
                            #expect(try await producer.end(half, commits ? .commit : .rollback) == .accepted)
                            if commits { committed.append(half.messageID) }
                        }
                        return committed
                    }
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            let seen = try await Embedded.messages(of: "Orders", client).map(\.messageID)
            #expect(seen.sorted() == committed.sorted())
        }
    }

    private static func message(_ text: String) -> Message {
        Message(topic: "Orders", body: text)
    }

    private static func quickChecks(_ directory: String? = nil) -> EmbeddedBrokerConfiguration {
        var configuration = EmbeddedBrokerConfiguration(directory: directory)
        configuration.firstCheck = .milliseconds(100)
        configuration.checkInterval = .milliseconds(100)
        return configuration
    }

    private static func serving(_ producer: TransactionProducer, _ body: () async throws -> Void) async throws {
        let running = Task { try await producer.run() }
        do { try await body() } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        try await running.value
    }
}

/// Counts from 1.
private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
