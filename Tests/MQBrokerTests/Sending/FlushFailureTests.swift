import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("A disk that does not flush")
struct FlushFailureTests {
    private func withBroker(_ body: (LiveBroker, FakeClient, SimulatedDevice) async throws -> Void) async throws {
        let device = SimulatedDevice(seed: 1)
        try await LiveBroker.withDirectory { directory in
            let change: (inout BrokerConfiguration) -> Void = { $0.storage.syncFlushTimeout = .milliseconds(1) }
            try await LiveBroker.with(change, in: directory, on: device) { broker in
                let client = FakeClient("c", of: broker)
                try await body(broker, client, device)
                device.clearFaults()
                await client.close()
            }
        }
    }

    @Test("A message that is sent back is not taken from its consumer")
    func sentBack() async throws {
        try await withBroker { broker, client, device in
            let answer = try await client.send("m", to: "T")
            let id = try #require(answer.fields.string("msgId").flatMap { OffsetMessageID($0) })
            let fields = [
                ("offset", "\(id.offset.rawValue)"), ("group", "G"), ("delayLevel", "1"), ("originTopic", "T"),
                ("unitMode", "false"), ("maxReconsumeTimes", "3"),
            ]
            #expect(try await client.request(.consumerSendMessageBack, fields).responseCode == .success)
            device.fail(.flush, permanently: true)
            #expect(try await client.request(.consumerSendMessageBack, fields).responseCode != .success)
        }
    }

    @Test("A verdict is not called final; asked again, it is")
    func verdict() async throws {
        try await withBroker { broker, client, device in
            let half = try await client.sendHalf("m", to: "T", key: "K")
            device.fail(.flush, permanently: true)
            let (code, outcome) = try await client.end(half, .rollback)
            #expect(code == .systemBusy || code == .serviceNotAvailable)
            #expect(outcome == .busy)
            device.clearFaults()
            while true {
                let (_, outcome) = try await client.end(half, .rollback)
                if outcome == .accepted { break }
                #expect(outcome == .busy)
            }
        }
    }
}
