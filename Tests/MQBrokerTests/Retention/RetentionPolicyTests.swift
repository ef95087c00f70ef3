import MQProtocol
import MQStore
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import MQBroker

/// A broker that serves, on a disk whose files are a hundred days older than its clock: whatever is not in the last
/// file of the log has expired.
@Suite("What retention does to messages that a group has not consumed yet", .timeLimit(.minutes(1)))
struct RetentionPolicyTests {
    private let clock = ManualClock(start: TimeSource.system.now().advanced(by: .seconds(100 * 86_400)))
    private let device = SimulatedDevice(seed: 1)
    private let lines = LogLines(withMetadata: true)

    private func withBroker(
        retains: Bool, _ body: (LiveBroker, FakeClient) async throws -> Void
    ) async throws {
        var configuration = BrokerConfiguration()
        configuration.brokerName = "broker-a"
        configuration.network.listenPort = 0
        configuration.storage.directory = "/store"
        configuration.storage.segmentBytes = 1 << 16
        configuration.storage.queueSegmentBytes = 20_000
        configuration.storage.indexSlots = 100
        configuration.storage.indexEntries = 400
        configuration.storage.deleteHours = Array(0...23)
        configuration.storage.retainsUnconsumed = retains
        let service = try await BrokerService.start(
            configuration, device: device, time: .manual(clock), group: .singleton, logger: lines.logger)
        let running = Task { try await service.run() }
        let broker = LiveBroker(service: service)
        let client = FakeClient("c", of: broker)
        var failure: (any Error)?
        do { try await body(broker, client) } catch { failure = error }
        await client.close()
        device.setCapacity(nil)
        running.cancel()
        _ = await running.result
        if let failure { throw failure }
    }

    /// Three of them fill a file of the log.
    private func send(_ numbers: Range<Int>, _ client: FakeClient) async throws {
        for number in numbers {
            let answer = try await client.send("\(number) " + String(repeating: "x", count: 20_000), to: "T")
            #expect(answer.fields.int64("queueOffset") == Int64(number))
        }
    }

    private func commit(_ offset: Int, _ group: String, _ client: FakeClient) async throws {
        let fields = [("consumerGroup", group), ("topic", "T"), ("queueId", "0"), ("commitOffset", "\(offset)")]
        #expect(try await client.request(.updateConsumerOffset, fields).responseCode == .success)
    }

    /// One run, on this thread, unless the store's own was as quick.
    private func runRetention(_ broker: LiveBroker) {
        clock.advance(by: .seconds(61))
        broker.service.broker.store.keepHouse()
    }

    /// The first message that is left.
    private func first(_ broker: LiveBroker) -> Int {
        let store = broker.service.broker.store
        return Int(store.minimumOffset(of: store.queue("T", 0)).rawValue)
    }

    private static let text =
        "old messages were deleted before they were consumed; retainUnconsumed=true would keep them"

    private func note(_ group: String, _ messages: Int) -> String {
        "\(Self.text) group=\(group) messages=\(messages) topic=T"
    }

    private var notes: [String] { lines.all.filter { $0.hasPrefix("old messages were deleted") } }

    private func notes(atLeast count: Int) async -> [String] {
        while notes.count < count { await Task.yield() }
        return notes
    }

    private func deletedTotal(_ client: FakeClient) async throws -> String? {
        try KVTable.decode(try await client.request(.getBrokerRuntimeInfo).body).table["deletedUnconsumedTotal"]
    }

    @Test("By default it goes by their age, and counts and logs each deletion for every group that was behind")
    func deleted() async throws {
        try await withBroker(retains: false) { broker, client in
            let unconsumed = broker.service.broker.unconsumed
            try await send(0..<12, client)
            try await commit(4, "slow", client)
            try await commit(12, "fast", client)
            #expect(first(broker) == 0)
            runRetention(broker)
            #expect(await notes(atLeast: 1).count == 1)
            let one = first(broker)
            #expect((5...12).contains(one))
            #expect(notes == [note("slow", one - 4)])
            #expect(unconsumed.deleted(topic: "T", group: "slow") == one - 4)
            #expect(unconsumed.deleted(topic: "T", group: "fast") == 0)
            #expect(try await deletedTotal(client) == "\(one - 4)")
            #expect(try await client.pull("T", from: 4).0 == .pullOffsetMoved)

            try await send(12..<24, client)
            runRetention(broker)
            #expect(await notes(atLeast: 3).count == 3)
            let two = first(broker)
            #expect((13...24).contains(two))
            let second = [note("fast", two - 12), note("slow", two - one)]
            #expect(notes == [note("slow", one - 4)] + second)
            #expect(unconsumed.deleted(topic: "T", group: "slow") == two - 4)
            #expect(unconsumed.deleted(topic: "T", group: "fast") == two - 12)
            #expect(try await deletedTotal(client) == "\(two - 4 + two - 12)")
        }
    }

    @Test("With retainUnconsumed they stay beyond their age, and go when the disk is above its watermark")
    func retained() async throws {
        try await withBroker(retains: true) { broker, client in
            try await send(0..<12, client)
            try await commit(4, "slow", client)
            runRetention(broker)
            // What was consumed goes.
            while first(broker) == 0 { await Task.yield() }
            let kept = first(broker)
            #expect((1...4).contains(kept))
            runRetention(broker)
            #expect(first(broker) == kept)
            #expect(notes == [])
            #expect(try await deletedTotal(client) == "0")
            let message = try #require(try await client.pull("T", from: 4).1.first)
            #expect(String(buffer: message.body).hasPrefix("4 "))

            let space = try device.space(at: "/store")
            device.setCapacity((space.total - space.available) * 100 / 88)
            runRetention(broker)
            #expect(await notes(atLeast: 1).count == 1)
            let reached = first(broker)
            #expect((5...12).contains(reached))
            #expect(notes == [note("slow", reached - 4)])
            #expect(broker.service.broker.unconsumed.deleted(topic: "T", group: "slow") == reached - 4)
            #expect(try await deletedTotal(client) == "\(reached - 4)")
            #expect(try await client.pull("T", from: 4).0 == .pullOffsetMoved)
        }
    }
}
