import MQNameServer
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import Testing

@testable import MQBroker

@Suite("A broker and its name servers")
struct RegistrationTests {
    @Test("A topic that an operator creates is in the route when the answer comes; at the end the broker leaves")
    func lifetime() async throws {
        var configuration = NameServerConfiguration()
        configuration.server.port = 0
        configuration.keyValueFile = "no-such-directory/kvConfig.json"
        let server = try NameServer(configuration, group: .singleton, logger: LiveBroker.silent)
        let address = try await server.start()
        let serving = Task { try await server.run() }
        let asker = RemotingClient(group: .singleton, logger: LiveBroker.silent)
        func route(_ topic: String) async throws -> Frame {
            try await asker.request(to: address, .getRouteInfoByTopic, extra: [("topic", topic)])
        }
        try await LiveBroker.with(
            { $0.nameServers = [address, "127.0.0.1:1"] },
            { broker in
                let client = FakeClient("admin", of: broker)
                let created = try await client.request(
                    .updateAndCreateTopic,
                    [
                        ("topic", "Orders"), ("defaultTopic", "TBW102"), ("readQueueNums", "4"),
                        ("writeQueueNums", "4"),
                        ("perm", "6"), ("topicFilterType", "SINGLE_TAG"), ("order", "false"),
                    ])
                #expect(created.responseCode == .success)
                let found = try await route("Orders")
                #expect(found.responseCode == .success)
                #expect(String(buffer: found.body).contains(broker.address))
                #expect(String(buffer: found.body).contains("broker-a"))
                await client.close()
            })
        await asker.shutdown()
        serving.cancel()
        _ = await serving.result
    }
}
