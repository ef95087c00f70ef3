@testable import MQClient
import MQProtocol
import Synchronization
import Testing

@Suite struct RetryTests {
    @Test("After a refusal that another broker may not repeat, another broker is tried")
    func otherBroker() async throws {
        let busy: @Sendable (Frame) -> StubServer.Answer = { _ in
            StubServer.Answer(code: .serviceNotAvailable, remark: "the disk is full")
        }
        try await StubServer.with(answer: busy) { full in
            try await StubServer.with(answer: Stubs.broker) { healthy in
                try await withClient(["full": full.address, "healthy": healthy.address]) { client in
                    for _ in 0..<8 {
                        let receipt = try await client.send(Self.message)
                        #expect(receipt.queue.brokerName == "healthy")
                    }
                    #expect(!full.requests.isEmpty)
                    #expect(healthy.requests.count == 8)
                }
            }
        }
    }

    @Test("A message for one queue is sent once")
    func oneAttempt() async throws {
        let answer: @Sendable (Frame) -> StubServer.Answer = { _ in StubServer.Answer(code: .serviceNotAvailable) }
        try await StubServer.with(answer: answer) { broker in
            try await withClient(["a": broker.address]) { client in
                let error = await #expect(throws: MQClientError.self) {
                    try await client.send(Self.message, orderedBy: "key")
                }
                #expect(error?.responseCode == 14)
                #expect(broker.requests.count == 1)
                let all = await #expect(throws: MQClientError.self) { try await client.send(Self.message) }
                #expect(all?.message.contains("3 attempts") == true)
                #expect(broker.requests.count == 4)
            }
        }
    }

    @Test(
        "What a broker calls illegal is tried nowhere else, and is the message's own fault", arguments: [Int32(13), 14])
    func illegal(code: Int32) async throws {
        let answer: @Sendable (Frame) -> StubServer.Answer = { _ in
            StubServer.Answer(code: ResponseCode(rawValue: code), remark: "the message is illegal")
        }
        try await StubServer.with(answer: answer) { broker in
            try await withClient(["a": broker.address]) { client in
                let error = await #expect(throws: MQClientError.self) { try await client.send(Self.message) }
                #expect(error?.isFaultOfMessage == (code == 13))
                #expect(broker.requests.count == (code == 13 ? 1 : 3))
            }
        }
    }

    @Test("A broker that moved is found again, also by messages for one queue")
    func movedBroker() async throws {
        let dead = try await Stubs.deadAddress()
        try await StubServer.with(answer: Stubs.broker) { broker in
            let addresses = TextSequence([dead, dead, broker.address])
            let answer = Stubs.nameServer(topics: ["Orders"], brokers: { ["a": addresses.next()] })
            try await StubServer.with(answer: answer) { servers in
                try await Stubs.client(of: servers.address) { client in
                    _ = try await client.topicRoute("Orders")
                    let error = await #expect(throws: MQClientError.self) {
                        try await client.send(Self.message, orderedBy: "key")
                    }
                    #expect(error?.code == .brokerUnreachable)
                    #expect(try await client.send(Self.message, orderedBy: "key").brokerAddress == broker.address)
                    #expect(broker.requests.count == 1)
                }
            }
        }
    }

    @Test("A broker whose master has just left is passed over for another one")
    func masterLeft() async throws {
        try await StubServer.with(answer: Stubs.broker) { broker in
            // The name server does not know of the other one any more.
            try await withClient(["b": broker.address]) { client in
                let left = TopicRoute.Broker(cluster: "C", name: "a", addresses: [1: "127.0.0.1:1"])
                let here = TopicRoute.Broker(cluster: "C", name: "b", addresses: [0: broker.address])
                let queues = ["a", "b"].map {
                    TopicRoute.Queues(brokerName: $0, readQueues: 2, writeQueues: 2, permission: [.read, .write])
                }
                var master = left
                master.addresses = [0: "127.0.0.1:1"]
                for _ in 0..<8 {
                    let now = client.configuration.time.now()
                    client.state.withLock { state in
                        // A fresh route, and about another topic a later answer.
                        state.routes.learn("Orders", TopicRoute(brokers: [master, here], queues: queues), now: now)
                        state.routes.learn("Others", TopicRoute(brokers: [left], queues: []), now: now)
                    }
                    let receipt = try await client.send(Self.message)
                    #expect(receipt.queue.brokerName == "b")
                }
            }
        }
    }

    @Test("With an order configuration a key waits for its own broker and goes to no other")
    func orderConfiguration() async throws {
        try await StubServer.with(answer: Stubs.broker) { broker in
            try await withClient(["b": broker.address]) { client in
                let route = TopicRoute(
                    brokers: [TopicRoute.Broker(cluster: "C", name: "b", addresses: [0: broker.address])],
                    queues: [.init(brokerName: "b", readQueues: 2, writeQueues: 2, permission: [.read, .write])],
                    orderConfiguration: "a:1;b:1")
                let now = client.configuration.time.now()
                var names: Set<String> = []
                for key in ["k0", "k1"] {
                    client.state.withLock { _ = $0.routes.learn("Orders", route, now: now) }
                    do throws(MQClientError) {
                        names.insert(try await client.send(Self.message, orderedBy: key).queue.brokerName)
                    } catch {
                        #expect(error.code == .brokerUnknown && error.isRetriable)
                        names.insert("a")
                    }
                }
                #expect(names == ["a", "b"])
            }
        }
    }

    @Test("A send ends when its time for all attempts is over")
    func timeLimit() async throws {
        try await StubServer.with(answer: { $0.requestCode == .heartbeat ? Stubs.announcement : .never }) { broker in
            try await withClient(["a": broker.address], sendTimeout: .seconds(1)) { client in
                try await client.heartbeat(to: broker.address)
                let error = await #expect(throws: MQClientError.self) { try await client.send(Self.message) }
                #expect(error?.code == .requestTimedOut)
                #expect(broker.requests.map(\.requestCode) == [.heartbeat, .sendMessageV2])
            }
        }
    }

    private static let message = Message(topic: "Orders", body: "x")

    private func withClient(
        _ brokers: [String: String], sendTimeout: Duration = .seconds(3), _ body: (MQClient) async throws -> Void
    ) async throws {
        try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], brokers: { brokers })) { servers in
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(servers.address))
            configuration.sendTimeout = sendTimeout
            try await MQClient.with(configuration, body)
        }
    }
}

/// Gives its texts one after the other, the last one for ever.
private final class TextSequence: Sendable {
    private let texts: Mutex<[String]>

    init(_ texts: [String]) {
        self.texts = Mutex(texts)
    }

    func next() -> String {
        texts.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    }
}
