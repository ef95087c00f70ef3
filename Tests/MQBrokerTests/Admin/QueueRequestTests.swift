import MQClient
import MQNameServer
import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix
import Testing

@testable import MQBroker

@Suite("Queues as operators see and clean them")
struct QueueRequestTests {
    @Test("Code 29 finds the message that was stored nearest to a time")
    func offsetByTime() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            for number in 0..<5 { try await client.send("m\(number)", to: "T") }
            broker.service.broker.store.dispatchPending()
            let stored = try await client.pull("T").1.map(\.storeTimestamp)
            func search(_ time: Int64) async throws -> Int64? {
                let fields = [("topic", "T"), ("queueId", "0"), ("timestamp", "\(time)")]
                return try await client.request(.searchOffsetByTimestamp, fields).fields.int64("offset")
            }
            #expect(try await search(0) == 0)
            #expect(try await search(stored[4].milliseconds + 60_000) == 4)
            let found = try #require(try await search(stored[2].milliseconds))
            #expect(stored[Int(found)] == stored[2])
            let missing = [("topic", "None"), ("queueId", "0"), ("timestamp", "0")]
            #expect(try await client.request(.searchOffsetByTimestamp, missing).fields.int64("offset") == 0)
            await client.close()
        }
    }

    @Test("Code 329 deletes what has expired at any hour; 306 then deletes the queues that nothing is left of")
    func expired() async throws {
        // A hundred days ahead of the files' times: all of them have expired.
        let clock = ManualClock(start: TimeSource.system.now().advanced(by: .seconds(100 * 86_400)))
        let change: (inout BrokerConfiguration) -> Void = { configuration in
            configuration.storage.deleteHours = []
            configuration.storage.diskUsePercent = 95
            configuration.storage.forcedDeletion = false
        }
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(change, in: directory, time: .manual(clock)) { broker in
                let store = broker.service.broker.store
                let client = FakeClient("admin", of: broker)
                try await client.send("old", to: "Old")
                for _ in 0..<6 { try await client.send(String(repeating: "x", count: 400_000), to: "New") }
                store.dispatchPending()
                clock.advance(by: .seconds(61))
                store.keepHouse()
                #expect(store.minimumLogOffset == .zero)
                #expect(try await client.request(.deleteExpiredCommitLog).responseCode == .success)
                clock.advance(by: .seconds(61))
                store.keepHouse()
                #expect(store.minimumLogOffset > .zero)
                let before = store.statistics.queues
                #expect(try await client.request(.cleanExpiredConsumeQueue).responseCode == .success)
                #expect(store.statistics.queues == before - 1)
                #expect(try await client.pull("Old").0 == .pullNotFound)
                await client.close()
            }
        }
    }

    @Test("Code 316 deletes the queues of topics that are not configured, and no others")
    func unused() async throws {
        try await LiveBroker.with { broker in
            let store = broker.service.broker.store
            let client = FakeClient("admin", of: broker)
            try await client.send("stays", to: "Kept")
            try await client.send("goes", to: "Gone")
            try await client.send("waits", to: "Kept", properties: [PropertyName.delayLevel: "18"])
            store.dispatchPending()
            broker.service.broker.topics.delete("Gone")
            #expect(try await client.request(.cleanUnusedTopic).responseCode == .success)
            #expect(store.maximumOffset(of: store.queue("Gone", 0)) == .zero)
            #expect(store.maximumOffset(of: store.queue(SystemTopic.schedule, 17)).rawValue == 1)
            #expect(try await client.pull("Kept").1.count == 1)
            await client.close()
        }
    }

    @Test("resetOffsetByTime moves the committed offsets itself when no consumer is online")
    func resetOfAnOfflineGroup() async throws {
        var configuration = NameServerConfiguration()
        configuration.server.port = 0
        configuration.keyValueFile = "no-such-directory/kvConfig.json"
        let server = try NameServer(configuration, group: .singleton, logger: LiveBroker.silent)
        let address = try await server.start()
        let serving = Task { try await server.run() }
        try await LiveBroker.with(
            { $0.nameServers = [address] },
            { broker in
                let admin = FakeClient("admin", of: broker)
                for number in 0..<4 { try await admin.send("m\(number)", to: "T") }
                broker.service.broker.store.dispatchPending()
                // Its heartbeat makes the group and its retry topic known; then it is gone.
                let consumer = FakeClient("c", of: broker)
                _ = try await consumer.heartbeat(consumers: ["G": ["T"]])
                await consumer.close()
                broker.service.broker.offsets.commit(group: "G", topic: "T", queueID: 0, offset: 1)
                let servers = try NameServerAddresses(address)
                try await MQClient.with(MQClientConfiguration(nameServers: servers)) { client in
                    while broker.service.broker.clients.consumerGroup("G") != nil { await Task.yield() }
                    let reset = try await client.resetOffsets(group: "G", topic: "T", to: nil, force: true)
                    guard case .byTool(let moves) = reset else {
                        Issue.record("the broker reset a group that is not online: \(reset)")
                        return
                    }
                    #expect(moves.map(\.consumerOffset) == [1])
                    #expect(moves.map(\.newOffset) == [4])
                }
                #expect(broker.service.broker.offsets.offset(group: "G", topic: "T", queueID: 0) == 4)
                await admin.close()
            })
        serving.cancel()
        _ = await serving.result
    }
}
