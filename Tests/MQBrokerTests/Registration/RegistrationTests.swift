import Foundation
import MQNameServer
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import TestSupport
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

    @Test("A broker registers at a name server that requires TLS")
    func enforcedTLS() async throws {
        try await TestCertificate.withFiles { certificate, key in
            var configuration = NameServerConfiguration()
            configuration.server.port = 0
            configuration.server.tls.mode = .enforcing
            configuration.server.tls.certificateFile = certificate
            configuration.server.tls.privateKeyFile = key
            configuration.keyValueFile = "no-such-directory/kvConfig.json"
            let server = try NameServer(configuration, group: .singleton, logger: LiveBroker.silent)
            let address = try await server.start()
            let serving = Task { try await server.run() }
            var asking = RemotingClientConfiguration()
            asking.tls.isEnabled = true
            asking.tls.authorityFile = certificate
            let asker = RemotingClient(asking, group: .singleton, logger: LiveBroker.silent)
            try await LiveBroker.with(
                {
                    $0.nameServers = [address]
                    $0.registration.usesTLS = true
                    $0.registration.authorityFile = certificate
                },
                { broker in
                    let client = FakeClient("a", of: broker)
                    _ = try await client.heartbeat(consumers: ["G": ["T"]])
                    let found = try await asker.request(
                        to: address, .getRouteInfoByTopic, extra: [("topic", "%RETRY%G")])
                    #expect(found.responseCode == .success)
                    await client.close()
                })
            await asker.shutdown()
            serving.cancel()
            _ = await serving.result
        }
    }
}

@Suite("What a broker tells its name servers")
struct RegistrationContentTests {
    private func table(topics: Int) -> TopicFile {
        let configs = (0..<topics).map {
            TopicConfig(topicName: "topic-\($0)", readQueueNums: 4, writeQueueNums: 4, perm: 6)
        }
        return TopicFile(version: DataVersion(counter: 1, timestamp: .zero), topics: configs)
    }

    @Test("A long list of topics goes compressed")
    func compression() throws {
        let (short, isShortCompressed) = Registration.body(of: table(topics: 10), compressed: false)
        #expect(!isShortCompressed)
        #expect(try RegisterBrokerBody.decode(short).topics.topicConfigTable.count == 10)
        let (long, isCompressed) = Registration.body(of: table(topics: 10_000), compressed: false)
        #expect(isCompressed)
        #expect(long.readableBytes < 1 << 20)
        let read = try RegisterBrokerBody.decode(long, compressed: true, version: ProtocolVersion.current)
        #expect(read.topics.topicConfigTable.count == 10_000)
    }

    @Test("Two name servers whose lists of order topics differ are not told of it again and again")
    func orderTopics() async throws {
        try await LiveBroker.withDirectory { try await orderTopics(in: $0.path) }
    }

    private func orderTopics(in directory: String) async throws {
        func server(_ name: String) async throws -> (address: String, Task<Void, any Error>) {
            var configuration = NameServerConfiguration()
            configuration.server.port = 0
            configuration.keyValueFile = "\(directory)/\(name).json"
            let server = try NameServer(configuration, group: .singleton, logger: LiveBroker.silent)
            let address = try await server.start()
            return (address, Task { try await server.run() })
        }
        let servers = [try await server("one"), try await server("two")]
        let operators = RemotingClient(group: .singleton, logger: LiveBroker.silent)
        _ = try await operators.request(
            to: servers[0].address, .putKVConfig,
            extra: [("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T"), ("value", "broker-a:4")])
        _ = try await operators.request(
            to: servers[1].address, .putKVConfig,
            extra: [("namespace", "ORDER_TOPIC_CONFIG"), ("key", "Other"), ("value", "broker-a:4")])
        try await LiveBroker.with(
            { $0.nameServers = servers.map(\.address) },
            { broker in
                let topics = broker.service.broker.topics
                let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
                topics.ensure("T", queues: 4)
                for _ in 0..<3 {
                    broker.service.registration.topicsChanged()
                    try await topics.announced(on: eventLoop).get()
                }
                #expect(topics.find("T")?.isOrder == true)
                let version = topics.dataVersion
                for _ in 0..<3 {
                    broker.service.registration.topicsChanged()
                    try await topics.announced(on: eventLoop).get()
                }
                #expect(topics.dataVersion == version)
            })
        await operators.shutdown()
        for (_, serving) in servers {
            serving.cancel()
            _ = await serving.result
        }
    }
}
