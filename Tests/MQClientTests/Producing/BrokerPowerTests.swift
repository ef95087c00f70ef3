@testable import MQClient
import MQProtocol
import Synchronization
import Testing

@Suite struct BrokerPowerTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    @Test(
        "The nearest level is the one whose delay differs least",
        arguments: [
            (Message.Delay.after(.milliseconds(1)), 1, "1s"), (.after(.seconds(4)), 2, "5s"),
            (.after(.seconds(50)), 5, "1m"), (.after(.seconds(1700)), 16, "30m"), (.after(.seconds(86_400)), 18, "2h"),
            (.at(Timestamp(milliseconds: 1_700_000_000_000 + 3_600_000)), 17, "1h"), (.at(.zero), 1, "1s"),
        ])
    func nearest(delay: Message.Delay, number: Int, text: String) {
        let nearest = BrokerPower.nearestLevel(to: delay, now: Self.now)
        #expect(nearest.number == number)
        #expect(nearest.text == text)
    }

    @Test("Levels and what is due at once need no power")
    func none() {
        #expect(BrokerPower(.none) == nil)
        #expect(BrokerPower(.level(3)) == nil)
        #expect(BrokerPower(.after(.zero)) == nil)
        #expect(BrokerPower(.after(.seconds(1))) != nil)
    }

    @Test("A stock broker is told from one of ours before a delayed message is sent")
    func refusedByStock() async throws {
        var message = Message(topic: "Orders", body: "x")
        message.delay = .after(.seconds(100))
        try await withBroker(Stubs.stockBroker) { client, broker in
            let error = await #expect(throws: MQClientError.self) { try await client.send(message) }
            #expect(error?.code == .unsupportedByBroker)
            #expect(error?.message.contains("level(6), the nearest, which is 2m") == true)
            await #expect(throws: MQClientError.self) { try await client.sendOneWay(message) }
            // The second one trusts the answer to the first.
            #expect(broker.requests.map(\.requestCode) == [.heartbeat])
            message.delay = .level(5)
            _ = try await client.send(message)
        }
        message.delay = .at(Self.now)
        try await withBroker(Stubs.broker) { client, broker in
            _ = try await client.send(message)
            _ = try await client.send(message)
            #expect(broker.requests.map(\.requestCode) == [.heartbeat, .sendMessageV2, .sendMessageV2])
        }
    }

    @Test("What a broker was an interval of heartbeats ago is asked again: it may have been replaced")
    func replaced() async throws {
        let clock = ManualClock(start: Self.now)
        let isOurs = Mutex(false)
        var message = Message(topic: "Orders", body: "x")
        message.delay = .after(.seconds(100))
        let answer: @Sendable (Frame) -> StubServer.Answer = { request in
            isOurs.withLock { $0 } ? Stubs.broker(request) : Stubs.stockBroker(request)
        }
        try await withBroker(answer, time: .manual(clock)) { client, broker in
            await #expect(throws: MQClientError.self) { try await client.send(message) }
            isOurs.withLock { $0 = true }
            clock.advance(by: .milliseconds(29_999))
            await #expect(throws: MQClientError.self) { try await client.send(message) }
            clock.advance(by: .milliseconds(1))
            _ = try await client.send(message)
            #expect(broker.requests.map(\.requestCode) == [.heartbeat, .heartbeat, .sendMessageV2])
        }
    }

    private func withBroker(
        _ answer: @escaping @Sendable (Frame) -> StubServer.Answer, time: TimeSource = .system,
        _ body: (MQClient, StubServer) async throws -> Void
    ) async throws {
        try await StubServer.with(answer: answer) { broker in
            try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: broker.address)) { servers in
                var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(servers.address))
                configuration.time = time
                try await MQClient.with(configuration) { try await body($0, broker) }
            }
        }
    }
}
