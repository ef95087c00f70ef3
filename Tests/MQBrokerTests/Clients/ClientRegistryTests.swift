import MQProtocol
import Testing

@testable import MQBroker

@Suite("Who is connected")
struct ClientRegistryTests {
    typealias Registry = ClientRegistry<Int>

    private func member(_ connection: Int, _ clientID: String? = nil, at seconds: Int64 = 0) -> Registry.Member {
        Registry.Member(
            clientID: clientID ?? "client-\(connection)", connection: connection, language: .java, version: 409,
            lastSeen: Timestamp(milliseconds: seconds * 1000)
        )
    }

    private func consumer(_ group: String = "G", _ topics: [String], version: Int64 = 1) -> ConsumerRegistration {
        ConsumerRegistration(
            group: group,
            attributes: ConsumerAttributes(
                consumeType: "CONSUME_PASSIVELY", messageModel: "CLUSTERING",
                consumeFromWhere: "CONSUME_FROM_LAST_OFFSET"
            ),
            subscriptions: topics.map { ActiveSubscription(SubscriptionData(topic: $0, subVersion: version)) }
        )
    }

    @Test("A new connection or another set of topics is a change; a heartbeat is not")
    func changes() {
        var registry = Registry()
        #expect(registry.consumerSeen(consumer("G", ["A"]), member(1)) == true)
        #expect(registry.consumerSeen(consumer("G", ["A"]), member(1)) == false)
        #expect(registry.consumerSeen(consumer("G", ["A"]), member(2)) == true)
        #expect(registry.consumerSeen(consumer("G", ["A", "B"]), member(2)) == true)
        #expect(registry.consumerSeen(consumer("G", ["B"]), member(1)) == true)
        #expect(registry.consumers["G"]?.subscriptions.keys.sorted() == ["B"])
    }

    @Test("A newer version replaces the subscription without being a change; an older one is ignored")
    func versions() {
        var registry = Registry()
        _ = registry.consumerSeen(consumer("G", ["A"], version: 5), member(1))
        #expect(registry.consumerSeen(consumer("G", ["A"], version: 7), member(1)) == false)
        #expect(registry.consumers["G"]?.subscriptions["A"]?.data.subVersion == 7)
        #expect(registry.consumerSeen(consumer("G", ["A"], version: 6), member(1)) == false)
        #expect(registry.consumers["G"]?.subscriptions["A"]?.data.subVersion == 7)
    }

    @Test("A producer that calls itself otherwise leaves no trace of its old name")
    func renamedProducer() {
        var registry = Registry()
        for number in 0..<5 { registry.producerSeen(group: "P", member(1, "client-\(number)")) }
        #expect(registry.producerConnection(clientID: "client-3") == nil)
        #expect(registry.producerConnection(clientID: "client-4") == 1)
        #expect(registry.producerClientCount == 1)
        _ = registry.closed(1)
        #expect(registry.producerClientCount == 0)
    }

    @Test("A closed connection leaves every group it was in; an empty group is gone")
    func closing() {
        var registry = Registry()
        _ = registry.consumerSeen(consumer("G", ["A"]), member(1))
        _ = registry.consumerSeen(consumer("H", ["A"]), member(1))
        _ = registry.consumerSeen(consumer("H", ["A"]), member(2))
        registry.producerSeen(group: "P", member(1))
        let departures = registry.closed(1)
        #expect(departures.map(\.group) == ["G", "H"])
        #expect(departures.allSatisfy { $0.clientID == "client-1" && $0.isLast })
        #expect(registry.consumers["G"] == nil)
        #expect(registry.consumers["H"]?.members.map(\.connection) == [2])
        #expect(registry.nextProducer(group: "P") == nil)
        #expect(registry.producerConnection(clientID: "client-1") == nil)
        #expect(registry.closed(1).isEmpty)
    }

    @Test("A client with a second connection in the group is not gone yet")
    func secondConnection() {
        var registry = Registry()
        _ = registry.consumerSeen(consumer("G", ["A"]), member(1, "same"))
        _ = registry.consumerSeen(consumer("G", ["A"]), member(2, "same"))
        #expect(registry.closed(1).map(\.isLast) == [false])
        #expect(registry.closed(2).map(\.isLast) == [true])
    }

    @Test("Unregistering leaves one group only")
    func unregister() {
        var registry = Registry()
        _ = registry.consumerSeen(consumer("G", ["A"]), member(1))
        _ = registry.consumerSeen(consumer("H", ["A"]), member(1))
        #expect(registry.unregister(consumerGroup: "G", from: 1)?.group == "G")
        #expect(registry.unregister(consumerGroup: "G", from: 1) == nil)
        #expect(registry.consumers["H"] != nil)
    }

    @Test("Silence for longer than the limit ends a membership")
    func expiry() {
        var registry = Registry()
        _ = registry.consumerSeen(consumer("G", ["A"]), member(1, at: 0))
        _ = registry.consumerSeen(consumer("G", ["A"]), member(2, at: 50))
        registry.producerSeen(group: "P", member(3, at: 0))
        let limit = Duration.seconds(120)
        #expect(registry.expire(now: Timestamp(milliseconds: 120_000), limit: limit).connections.isEmpty)
        let expired = registry.expire(now: Timestamp(milliseconds: 120_001), limit: limit)
        #expect(expired.connections == [1, 3])
        #expect(expired.departures.map(\.clientID) == ["client-1"])
        #expect(registry.connectionCount == 1)
    }

    @Test("Check-backs go round the producers of a group")
    func roundRobin() {
        var registry = Registry()
        for connection in 1...3 { registry.producerSeen(group: "P", member(connection)) }
        let asked = (0..<6).compactMap { _ in registry.nextProducer(group: "P")?.connection }
        #expect(Set(asked.prefix(3)) == [1, 2, 3])
        #expect(asked.prefix(3) == asked.suffix(3))
        #expect(registry.nextProducer(group: "nobody") == nil)
    }

    @Test("The last registration of a client id is the one replies go to")
    func replies() {
        var registry = Registry()
        registry.producerSeen(group: "P", member(1, "same"))
        registry.producerSeen(group: "P", member(2, "same"))
        #expect(registry.producerConnection(clientID: "same") == 2)
        _ = registry.closed(1)
        #expect(registry.producerConnection(clientID: "same") == 2)
    }
}
