@testable import MQClient
import MQProtocol
import MQRemoting
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct HeartbeatTests {
    @Test("A checker is announced to every master at once, before anything is sent")
    func beforeAnySend() async throws {
        try await withBrokers { client, ours, stock in
            try client.register(producer: ProducerPresence(group: "Shop", onCheck: { _ in }))
            try await running(client) {
                let first = await ours.request(.heartbeat)
                let data = try HeartbeatData.decode(first.body)
                #expect(data.clientID == client.configuration.clientID)
                #expect(data.producerGroups == ["ESCROW_CLIENT", "Shop"])
                #expect(first.fields.string("escrow") == "1")
                _ = await stock.request(.heartbeat)
            }
            await client.announce()
            #expect(client.announcesEscrow(ours.address))
            #expect(!client.announcesEscrow(stock.address))
        }
    }

    @Test("Without checker or consumer only masters of known routes hear of a client")
    func plainProducer() async throws {
        try await withBrokers { client, ours, stock in
            _ = try await client.topicRoute("Orders")
            try await running(client) { _ = await ours.request(.heartbeat) }
            #expect(stock.requests.isEmpty)
        }
    }

    @Test("A heartbeat follows every interval, and at once when something changed")
    func again() async throws {
        try await withBrokers { client, ours, _ in
            _ = try await client.topicRoute("Orders")
            try await running(client) {
                _ = await ours.request(.heartbeat)
                try client.register(consumer: Self.consumer("Late"))
                let woken = try HeartbeatData.decode(await ours.request(.heartbeat, number: 2).body)
                #expect(woken.consumers.map(\.groupName) == ["Late"])
                #expect(woken.consumers.first?.subscriptions.first?.topic == "Orders")
                await clock.waitForSleepers(count: 2)
                clock.advance(by: .seconds(31))
                _ = await ours.request(.heartbeat, number: 3)
            }
        }
    }

    @Test("A broker that is down does not keep the others from hearing")
    func deadBroker() async throws {
        let dead = try await Stubs.deadAddress()
        try await withBrokers(alsoListed: [dead]) { client, ours, stock in
            try client.register(producer: ProducerPresence(group: "Shop", onCheck: { _ in }))
            try await running(client) {
                _ = await ours.request(.heartbeat)
                client.wakeHeartbeat()
                _ = await ours.request(.heartbeat, number: 2)
                _ = await stock.request(.heartbeat, number: 2)
            }
        }
    }

    @Test("A group that ends is withdrawn at once, all of them when the client ends")
    func withdrawal() async throws {
        try await withBrokers { client, ours, _ in
            _ = try await client.topicRoute("Orders")
            try client.register(consumer: Self.consumer("First"))
            try client.register(consumer: Self.consumer("Second"))
            try await running(client) {
                _ = await ours.request(.heartbeat)
                client.unregister(consumer: "First")
                #expect(await ours.request(.unregisterClient).fields.string("consumerGroup") == "First")
            }
            let groups = ours.requests.filter { $0.requestCode == .unregisterClient }.map {
                $0.fields.string("consumerGroup") ?? $0.fields.string("producerGroup")
            }
            #expect(groups == ["First", "Second", "ESCROW_CLIENT"])
        }
    }

    @Test("As a service it ends with a graceful shutdown, and withdraws its groups")
    func gracefully() async throws {
        try await withBrokers { client, ours, _ in
            _ = try await client.topicRoute("Orders")
            let group = ServiceGroup(services: [client], logger: client.configuration.logger)
            async let served: Void = group.run()
            _ = await ours.request(.heartbeat)
            await group.triggerGracefulShutdown()
            try await served
            #expect(ours.requests.last?.requestCode == .unregisterClient)
        }
    }

    @Test("A second consumer or producer of one group is refused")
    func twice() async throws {
        try await Stubs.client(of: "127.0.0.1:1") { client in
            try client.register(consumer: Self.consumer("G"))
            try client.register(producer: ProducerPresence(group: "G"))
            let consumer = #expect(throws: MQClientError.self) { try client.register(consumer: Self.consumer("G")) }
            #expect(consumer?.code == .groupInUse)
            #expect(consumer?.message.contains("group G already") == true)
            let producer = #expect(throws: MQClientError.self) {
                try client.register(producer: ProducerPresence(group: "G"))
            }
            #expect(producer?.code == .groupInUse)
            let invalid = #expect(throws: MQClientError.self) {
                try client.register(producer: ProducerPresence(group: "not a group"))
            }
            #expect(invalid?.code == .invalidGroup)
        }
    }

    @Test("Each client has an id of its own")
    func clientIDs() {
        let ids = (0..<100).map { _ in MQClientConfiguration(nameServers: nil).clientID }
        #expect(Set(ids).count == 100)
        #expect(ids[0].contains("@\(LocalMachine.processID)#"))
    }

    // MARK: Fixture

    private let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))

    private static func consumer(_ group: String) -> ConsumerPresence {
        ConsumerPresence(
            group: group, subscriptions: { [SubscriptionData(topic: "Orders")] }, onRequest: { _, _ in })
    }

    /// Two masters: the first announces Escrow and has the topic Orders.
    private func withBrokers<Value>(
        alsoListed: [String] = [], _ body: (MQClient, StubServer, StubServer) async throws -> Value
    ) async throws -> Value {
        try await StubServer.with(answer: Stubs.broker) { ours in
            try await StubServer.with(answer: { _ in StubServer.Answer() }) { stock in
                let masters = alsoListed + [ours.address, stock.address]
                let answer = Stubs.nameServer(topics: ["Orders"], broker: ours.address, masters: masters)
                return try await StubServer.with(answer: answer) { servers in
                    var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(servers.address))
                    configuration.time = .manual(clock)
                    return try await MQClient.with(configuration) { try await body($0, ours, stock) }
                }
            }
        }
    }

    /// Ends as a cancelled task does.
    private func running(_ client: MQClient, _ body: () async throws -> Void) async throws {
        let running = Task { try await client.run() }
        do { try await body() } catch { running.cancel(); throw error }
        running.cancel()
        try await running.value
    }
}
