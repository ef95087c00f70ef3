import Testing

extension InteropTests {
    @Suite struct Delays {
        @Test(
            "Delayed messages arrive not before their time, and soon after",
            arguments: [
                Delay(options: ["--level", "1"], milliseconds: 1000),
                Delay(options: ["--property", "TIMER_DELAY_MS=1700"], milliseconds: 1700),
            ])
        func delayed(_ delay: Delay) async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Delayed")
                let consume = ["--topic", "Delayed", "--group", "CG_delayed", "--expect", "5"]
                let consumed = try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.ready()
                    let produce = ["--topic", "Delayed", "--group", "PG_delayed", "--count", "5"] + delay.options
                    try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                    try await consumer.done()
                    return consumer.messages
                }
                #expect(consumed.count == 5)
                for message in consumed {
                    // Stored for the second time when it became visible, by the same machine's clock.
                    let waited = (message.stored ?? 0) - (message.born ?? 0)
                    #expect(waited >= delay.milliseconds)
                    #expect(waited < delay.milliseconds + 1500)
                }
            }
        }
    }

    struct Delay: Sendable, CustomTestStringConvertible {
        var options: [String]
        var milliseconds: Int64

        var testDescription: String { "\(milliseconds) ms" }
    }
}
