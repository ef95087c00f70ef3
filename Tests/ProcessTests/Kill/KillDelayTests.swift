import MQProtocol
import ProcessSupport
import TestSupport
import Testing

extension ProcessTests {
    @Suite("kill -9 and delayed messages")
    struct KillDelayTests {
        private static let queue = QueueName("Later", 0)

        @Test("are delivered after the restart, never early", .timeLimit(.minutes(1)))
        func pendingDelaysSurvive() async throws {
            let seed = TestSeed.current
            var generator = SeededGenerator(seed: seed)
            let ledger = DelayLedger()
            let first = Int.random(in: 60...100, using: &generator)
            let second = Int.random(in: 5...30, using: &generator)
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store", ["messageDelayLevel": "1s 2s 3s 4s"])
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await client.createTopic(Self.queue.topic, queues: 1)
                        await Self.send(with: client, ledger, seed: seed, strikeAt: first) { broker.process.kill() }
                    }
                }
                // Killed once more in the middle of the deliveries.
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await Self.receive(with: client, ledger) { ledger.arrived >= second }
                        broker.process.kill()
                    }
                }
                ledger.forgetArrivals()
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await Self.receive(with: client, ledger) { ledger.missing == 0 }
                    }
                }
            }
            #expect(ledger.findings == [])
            // A crash may repeat what was delivered in the second before it, and there were two crashes.
            #expect(ledger.counts.allSatisfy { $0 <= 3 })
            print("delays: \(ledger.arrived) delivered, \(ledger.counts.count { $0 > 1 }) of them again after a crash")
        }

        /// Sends from eight senders until the broker is gone.
        private static func send(
            with client: RawClient, _ ledger: DelayLedger, seed: UInt64, strikeAt count: Int,
            _ strike: @escaping @Sendable () -> Void
        ) async {
            await withTaskGroup(of: Void.self) { group in
                for sender in Int64(0)..<8 {
                    group.addTask {
                        var generator = SeededGenerator(seed: seed &+ UInt64(sender))
                        var number = sender
                        while true {
                            number += 8
                            let message = ledger.begin(
                                number, to: queue, level: Int.random(in: 1...4, using: &generator),
                                isLevel: Bool.random(using: &generator))
                            guard let answer = try? await client.send(message) else { return }
                            #expect(answer.code == .success, "\(answer.remark ?? "no remark")")
                            if ledger.acknowledge(number) == count { strike() }
                        }
                    }
                }
            }
        }

        /// Takes messages as they become due, from the queue's beginning, until it is enough.
        private static func receive(
            with client: RawClient, _ ledger: DelayLedger, until isEnough: () -> Bool
        ) async throws {
            var offset: Int64 = 0
            while !isEnough() {
                let answer = try await client.pull(queue, from: offset, hold: .seconds(10))
                answer.messages.forEach(ledger.arrived)
                offset = max(offset, answer.nextOffset)
            }
        }
    }
}
