import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// With a distance of one byte everything counts as cold, and is read by threads that may wait.
@Suite("Reads far behind the end of the log")
struct ColdReadTests {
    @Test("Pulls, commits and messages sent back come to the same as in memory", arguments: [1, 1 << 30])
    func coldAndHot(distance: Int) async throws {
        func configure(_ configuration: inout BrokerConfiguration) {
            configuration.storage.coldDistance = distance
            configuration.storage.memoryPercent = distance == 1 ? 0 : 40
        }
        try await LiveBroker.with(configure) { broker in
            let store = broker.service.broker.store
            let client = FakeClient("c", of: broker)
            for number in 0..<20 { try await client.send("m\(number)", to: "T") }
            let half = try await client.sendHalf("committed", to: "T", key: "K")
            #expect(try await client.end(half, .commit) == (.success, .accepted))
            store.dispatchPending()
            var bodies: [String] = []
            while bodies.count < 21 {
                let (code, messages) = try await client.pull("T", from: Int64(bodies.count))
                #expect(code == .success)
                #expect(distance == 1 ? messages.count <= 8 : messages.count == 21)
                bodies += messages.map { String(buffer: $0.body) }
                if messages.isEmpty { break }
            }
            #expect(bodies == (0..<20).map { "m\($0)" } + ["committed"])
            #expect(try await client.pull("T", from: 21).0 == .pullNotFound)
            let back = [
                ("offset", "\(half.logOffset)"), ("group", "G"), ("delayLevel", "-1"), ("originTopic", "T"),
                ("unitMode", "false"), ("maxReconsumeTimes", "3"),
            ]
            #expect(try await client.request(.consumerSendMessageBack, back).responseCode == .success)
            store.dispatchPending()
            #expect(store.maximumOffset(of: store.queue("%DLQ%G", 0)).rawValue == 1)
            await client.close()
        }
    }

    @Test("A pull that waits is answered by an arrival that counts as cold when it is looked at")
    func heldPull() async throws {
        try await LiveBroker.with({ $0.storage.coldDistance = 1 }) { broker in
            let client = FakeClient("c", of: broker)
            try await client.send("first", to: "T")
            async let held = client.pull("T", from: 1, hold: 20_000)
            try await client.send("second", to: "T")
            #expect(try await held.1.map { String(buffer: $0.body) } == ["second"])
            await client.close()
        }
    }

    @Test("A pull from an offset that the queue does not have is listed as an event")
    func movedOffset() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("c", of: broker)
            try await client.send("first", to: "T")
            broker.service.broker.store.dispatchPending()
            #expect(try await client.pull("T", from: 100).0 == .pullOffsetMoved)
            broker.service.broker.store.dispatchPending()
            let event = try #require(try await client.pull("OFFSET_MOVED_EVENT").1.first)
            #expect(
                String(buffer: event.body)
                    == #"{"consumerGroup":"readers","messageQueue":{"brokerName":"broker-a","queueId":0,"topic":"T"},"#
                    + #""offsetNew":1,"offsetRequest":100}"#)
            #expect(event.properties["TAGS"] == "readers")
            #expect(event.properties["KEYS"] == "readers")
            await client.close()
        }
    }

    @Test("Message ids carry the port that is listened on, also when the system chose it")
    func ephemeralPort() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("c", of: broker)
            let answer = try await client.send("first", to: "T")
            let id = try #require(answer.fields.string("msgId").flatMap { OffsetMessageID($0) })
            #expect(id.host.port == broker.service.address.port)
            #expect(id.host.port > 0)
            await client.close()
        }
    }
}
