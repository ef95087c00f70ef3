import Foundation
import MQProtocol
import ProcessSupport
import TestSupport
import Testing

extension ProcessTests {
    @Suite("kill -9 and transactions")
    struct KillTransactionTests {
        private static let queue = QueueName("Orders", 0)

        @Test("commits once, rolls back for good, and asks about the undecided", .timeLimit(.minutes(1)))
        func verdictsSurvive() async throws {
            let seed = TestSeed.current
            var generator = SeededGenerator(seed: seed)
            let log = TransactionLog()
            let settings = ["transactionTimeOut": "1000", "transactionCheckInterval": "1000"]
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store", settings)
                for round in 0..<2 {
                    let count =
                        Int.random(in: 50...200, using: &generator) + log.entries.values.count(where: \.isDecided)
                    let ended = try await BrokerProcess.run(options) { broker in
                        try await RawClient.with(broker.address) { client in
                            if round == 0 { try await client.createTopic(Self.queue.topic, queues: 1) }
                            let load = TransactionLoad(
                                client: client, log: log, queue: Self.queue, seed: seed &+ UInt64(round) << 32)
                            await load.run(verdicts: count) { broker.process.kill() }
                        }
                    }
                    #expect(ended.exit == .signal(9))
                }
                try StoreFiles.remove("consumequeue", in: options.store)
                _ = try await BrokerProcess.run(options) { broker in
                    let checks = CheckBacks()
                    try await RawClient.with(broker.address, onRequest: checks.receive) { client in
                        try await Self.verify(log, with: client, "after the kill")
                        try await Self.decideTheRest(of: log, with: client, checks)
                        try await client.awaitEverythingSent()
                        try await Self.verify(log, with: client, "after the check-backs")
                    }
                }
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) {
                        try await Self.verify(log, with: $0, "after a clean stop")
                    }
                }
            }
            let entries = log.entries.values
            print("transactions: \(entries.count) begun, \(entries.count(where: \.isDecided)) decided, all checked")
        }

        /// What was decided is as it was decided; what was wanted, but not acknowledged, at most once; the rest is not
        /// to be seen.
        private static func verify(_ log: TransactionLog, with client: RawClient, _ when: String) async throws {
            let messages = try await client.readAll(queue)
            var deliveries: [Int64: Int] = [:]
            for message in messages {
                let number = try #require(Payload.number(in: message.body))
                #expect(message.body == Payload.body(number))
                deliveries[number, default: 0] += 1
            }
            for (number, entry) in log.entries {
                let times = deliveries.removeValue(forKey: number) ?? 0
                switch (entry.verdict, entry.isDecided) {
                case (.commit, true): #expect(times == 1, "committed message \(number), \(when)")
                case (.commit, false):
                    #expect(times <= 1, "message \(number), whose commit was not acknowledged, \(when)")
                case (.rollback, _): #expect(times == 0, "rolled back message \(number), \(when)")
                case (nil, _): #expect(times == 0, "undecided message \(number), \(when)")
                }
            }
            #expect(deliveries.isEmpty, "messages that nobody sent")
            #expect(messages.map(\.queueOffset.rawValue) == Array(0..<Int64(messages.count)))
        }

        /// Answers check-backs until every half message that was acknowledged has its verdict.
        private static func decideTheRest(
            of log: TransactionLog, with client: RawClient, _ checks: CheckBacks
        ) async throws {
            let entries = log.entries
            var open = Set(entries.filter { $0.value.half != nil && $0.value.verdict == nil }.keys)
            #expect(open.isEmpty == false)
            try await client.announceProducer()
            try await checks.forEach { half in
                let entry = try #require(entries[half.number], "a check-back for a message that nobody sent")
                #expect(!entry.isDecided, "a check-back for message \(half.number), which is decided")
                let verdict = entry.verdict ?? (half.number % 2 == 0 ? .commit : .rollback)
                log.wants(verdict, for: half.number)
                let answer = try await client.request(.endTransaction, half.endFields(verdict, isAnswerToCheck: true))
                #expect(answer.responseCode == .success, "\(answer.remark ?? "no remark")")
                _ = log.decided(half.number)
                open.remove(half.number)
                return !open.isEmpty
            }
        }
    }
}
