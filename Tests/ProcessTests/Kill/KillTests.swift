import Foundation
import MQProtocol
import ProcessOutput
import ProcessSupport
import TestSupport
import Testing

extension ProcessTests {
    /// The broker dies under load, again and again on one store; nothing that it acknowledged may be missing.
    @Suite("kill -9 under load")
    struct KillTests {
        private static let queues = ["KillA", "KillB"].flatMap { topic in (0..<4).map { QueueName(topic, $0) } }

        /// What is deleted while the broker is down, one after each round.
        private enum Deletion: CaseIterable {
            case nothing, index, consumeQueues, both, oneQueue

            func apply(to store: String) throws {
                switch self {
                case .nothing: break
                case .index: try StoreFiles.remove("index", in: store)
                case .consumeQueues: try StoreFiles.remove("consumequeue", in: store)
                case .both:
                    try StoreFiles.remove("index", in: store)
                    try StoreFiles.remove("consumequeue", in: store)
                case .oneQueue: try StoreFiles.remove("consumequeue/KillB/2", in: store)
                }
            }
        }

        @Test("keeps every acknowledged message", .timeLimit(.minutes(2)), arguments: ["SYNC_FLUSH", "ASYNC_FLUSH"])
        func keepsAcknowledgedMessages(flush: String) async throws {
            let seed = TestSeed.current
            var generator = SeededGenerator(seed: seed)
            let journal = Journal()
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store", flush: flush)
                for (round, deletion) in Deletion.allCases.enumerated() {
                    let count = Int.random(in: 40...800, using: &generator)
                    let ended = try await BrokerProcess.run(options) { broker in
                        try await RawClient.with(broker.address) { client in
                            if round == 0 {
                                for topic in ["KillA", "KillB"] { try await client.createTopic(topic, queues: 4) }
                            }
                            try await Self.verify(journal, with: client, seed: seed)
                            let load = Load(
                                client: client, journal: journal, queues: Self.queues, round: round, seed: seed)
                            await load.run(acknowledgements: count) { broker.process.kill() }
                        }
                    }
                    #expect(ended.exit == .signal(9))
                    #expect(journal.refusals == [])
                    try deletion.apply(to: options.store)
                }
                try await Self.interruptRebuild(options)
                for _ in 0..<2 {
                    let ended = try await BrokerProcess.run(options) { broker in
                        try await RawClient.with(broker.address) { client in
                            try await Self.verify(journal, with: client, seed: seed)
                        }
                    }
                    #expect(ended.exit == .code(0))
                }
                print("kill -9, \(flush): \(journal.history.acknowledged.count) acknowledged messages checked")
            }
        }

        /// Kills a broker in the middle of building its consume queues again.
        private static func interruptRebuild(_ options: BrokerProcess.Options) async throws {
            try StoreFiles.remove("consumequeue", in: options.store)
            try StoreFiles.remove("index", in: options.store)
            let file = try BrokerProcess.writeProperties(options, port: try await FreePorts.next())
            let ended = try await ServerProcess.run("mqbroker", arguments: ["-c", file]) { process in
                while StoreFiles.all(in: options.store + "/consumequeue").isEmpty, !process.output.isFinished {
                    await Task.yield()
                }
                process.kill()
            }
            #expect(ended.exit == .signal(9))
        }

        /// Reads everything back, and finds a sample by key.
        private static func verify(_ journal: Journal, with client: RawClient, seed: UInt64) async throws {
            let history = journal.history
            let contents = try await client.readAll(queues)
            let violations = history.violations(in: contents)
            #expect(violations.prefix(10) == [])
            guard violations.isEmpty else { throw TestFailure("\(violations.count) violations; seed \(seed)") }
            var generator = SeededGenerator(seed: seed)
            let sample = history.acknowledged.sorted { $0.key < $1.key }.shuffled(using: &generator).prefix(20)
            for (number, place) in sample {
                let found = try await client.query(topic: place.queue.topic, key: Payload.key(number))
                let places = found.map {
                    Place(queue: QueueName($0.topic, $0.queueID), offset: $0.queueOffset.rawValue)
                }
                #expect(places.contains(place), "the index does not find message \(number)")
            }
        }
    }
}
