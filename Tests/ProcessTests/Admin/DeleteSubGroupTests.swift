import MQProtocol
import NIOCore
import ProcessSupport
import Testing

extension ProcessTests {
    /// What a renamed consumer leaves behind is taken away.
    @Suite("mqadmin deleteSubGroup")
    struct DeleteSubGroupTests {
        @Test("A group goes with its offsets when that is said, else without", .timeLimit(.minutes(1)))
        func deletion() async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        for group in ["shop|old", "shop|kept"] { try await store(7, of: group, client) }
                        try await delete("shop|kept", [], at: broker.address)
                        try await delete("shop|old", ["-r", "true"], at: broker.address)
                        let table = String(buffer: try await client.require(.getAllConsumerOffset).body)
                        #expect(table.contains("T@shop|kept"), "\(table)")
                        #expect(!table.contains("shop|old"), "\(table)")
                    }
                }
            }
        }

        private func store(_ offset: Int64, of group: String, _ client: RawClient) async throws {
            try await client.require(
                .updateConsumerOffset,
                [("consumerGroup", group), ("topic", "T"), ("queueId", "0"), ("commitOffset", "\(offset)")])
        }

        private func delete(_ group: String, _ options: [String], at broker: String) async throws {
            let run = try await CompletedProcess.run(
                "mqadmin", ["deleteSubGroup", "-n", "127.0.0.1:1", "-b", broker, "-g", group] + options)
            #expect(run.exit == .code(0), "\(run.errors)")
            #expect(run.output == ["delete subscription group [\(group)] from broker [\(broker)] success."])
        }
    }
}
