import MQClient
import Testing

/// Tests that start processes share the machine's two cores, so they take turns.
@Suite(.serialized, .timeLimit(.minutes(4)))
enum InteropTests {}

extension InteropTests {
    @Suite struct SendModes {
        @Test(
            "Whatever way the native producer sends, its consumer gets every message once",
            arguments: [
                "sync", "oneway", "orderly", "batch",
            ])
        func everyModeArrives(mode: String) async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Modes")
                let consume = ["--topic", "Modes", "--group", "CG_modes", "--expect", "40"]
                let consumed = try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.ready()
                    let produce = [
                        "--topic", "Modes", "--group", "PG_modes", "--mode", mode, "--count", "40", "--prefix", mode,
                        "--keys",
                    ]
                    try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                    try await consumer.done()
                    return consumer.messages
                }
                #expect(Set(consumed.compactMap(\.body)) == Set((0..<40).map { "\(mode)-\($0)" }))
                #expect(consumed.allSatisfy { $0.keys == $0.body })
                let stored = try await cluster.everything(in: "Modes")
                #expect(stored.count == 40)
            }
        }

        @Test("A body above the compression limit arrives as it was")
        func compressedBody() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Large")
                let produce = ["--topic", "Large", "--group", "PG_large", "--count", "4", "--padding", "20000"]
                try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                let pull = ["--topic", "Large", "--group", "CG_large", "--expect", "4"]
                let pulled = try await Driver.with("pull.py", cluster: cluster, arguments: pull) { puller in
                    try await puller.done()
                    return puller.messages
                }
                let padding = String(repeating: ".", count: 20000)
                #expect(Set(pulled.compactMap(\.body)) == Set((0..<4).map { "message-\($0)\(padding)" }))
                let stored = try await cluster.everything(in: "Large")
                #expect(Set(stored.map(\.text)) == Set(pulled.compactMap(\.body)))
            }
        }
    }
}
