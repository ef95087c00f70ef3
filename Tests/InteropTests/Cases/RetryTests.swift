import MQClient
import Testing

extension InteropTests {
    /// One message at a time: the native client returns everything one pull brought when one message of it fails.
    @Suite struct Retries {
        /// Eighteen short levels: the third retry of a stock broker's table would take half a minute.
        static let settings = ["messageDelayLevel": Array(repeating: "1s", count: 18).joined(separator: " ")]

        @Test("A message that fails comes back through the retry topic until it is consumed")
        func retried() async throws {
            try await Cluster.with(settings: Self.settings) { cluster in
                try await cluster.createTopic("Flaky")
                let consume = [
                    "--topic", "Flaky", "--group", "CG_flaky", "--fail-attempts", "2", "--expect", "1",
                ]
                let consumed = try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.ready()
                    let produce = ["--topic", "Flaky", "--group", "PG_flaky", "--count", "1"]
                    try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                    try await consumer.done()
                    return consumer.messages
                }
                #expect(consumed.map(\.reconsumed) == [0, 1, 2])
                #expect(consumed.map(\.refused) == [true, true, false])
                #expect(consumed.allSatisfy { $0.topic == "Flaky" }, "the native client restores the topic")
            }
        }

        @Test("A message that fails too often becomes a dead letter that can be read")
        func deadLetter() async throws {
            try await Cluster.with(settings: Self.settings) { cluster in
                try await cluster.createTopic("Doomed")
                var group = GroupConfiguration(name: "CG_doomed")
                group.maximumRetries = 2
                try await cluster.client.createGroup(group, onBroker: cluster.brokerAddress)
                let consume = ["--topic", "Doomed", "--group", "CG_doomed", "--fail-attempts", "1000"]
                let consumed = try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.ready()
                    let produce = ["--topic", "Doomed", "--group", "PG_doomed", "--count", "1", "--keys"]
                    try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                    try await cluster.eventually("the dead letter") {
                        (try? await cluster.everything(in: "%DLQ%CG_doomed").count) == 1
                    }
                    return consumer.messages
                }
                #expect(consumed.map(\.reconsumed) == [0, 1, 2])
                let pull = ["--topic", "%DLQ%CG_doomed", "--group", "CG_letters", "--expect", "1"]
                let letters = try await Driver.with("pull.py", cluster: cluster, arguments: pull) { puller in
                    try await puller.done()
                    return puller.messages
                }
                #expect(letters.map(\.body) == ["message-0"])
                #expect(letters.allSatisfy { $0.keys == $0.body })
            }
        }
    }
}
