import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Delayed messages at a live broker")
struct DelayServiceTests {
    private func count(_ topic: String, _ broker: LiveBroker) -> Int64 {
        let store = broker.service.broker.store
        store.dispatchPending()
        return store.maximumOffset(of: store.queue(topic, 0)).rawValue
    }

    /// Timers and levels, due in half a minute or so.
    private func fill(_ client: FakeClient, timers: Int, levels: Int) async throws {
        for number in 0..<timers {
            try await client.send(
                "t\(number)", to: "T", properties: [PropertyName.timerDelayMilliseconds: "\(20_000 + number % 7)"])
        }
        for number in 0..<levels {
            try await client.send("l\(number)", to: "T", properties: [PropertyName.delayLevel: "4"])
        }
    }

    @Test("What waits in segments that go is copied forward, each message once, also over a restart")
    func copiedForward() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_800_000_000_000))
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                try await fill(client, timers: 600, levels: 20)
                let store = broker.service.broker.store
                let delays = broker.service.broker.delays
                store.dispatchPending()
                #expect(delays.pendingTimers == 600)
                for _ in 0..<2 {
                    let end = store.appendedOffset
                    #expect(delays.copyForward(below: end) == end)
                    store.dispatchPending()
                    #expect(delays.pendingTimers == 620)
                }
                await client.close()
            }
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let delays = broker.service.broker.delays
                #expect(delays.pendingTimers == 620)
                clock.advance(by: .seconds(60))
                delays.fireRound()
                #expect(count("T", broker) == 620)
                let end = broker.service.broker.store.appendedOffset
                #expect(delays.copyForward(below: end) == end)
                #expect(delays.pendingTimers == 0)
                #expect(count("T", broker) == 620)
            }
        }
    }

    @Test("A damaged time of an arbitrary delay makes it neither early nor decades late: its record tells")
    func damagedTimes() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_800_000_000_000))
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                try await fill(client, timers: 3, levels: 0)
                await client.close()
            }
            try changeEntries(of: SystemTopic.timerWheel, in: directory) { entries in
                // Decades late, decades early, and 16 s early.
                for (number, change) in [Int64(1) << 41, -(1 << 40), -(1 << 14)].enumerated() {
                    let due: Int64 = entries.getInteger(at: number * 20 + 12) ?? 0
                    entries.setInteger(due + change, at: number * 20 + 12)
                }
            }
            for _ in 0..<2 {
                try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                    clock.advance(by: .seconds(9))
                    broker.service.broker.delays.fireRound()
                    #expect(count("T", broker) == 0, "not early")
                }
            }
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                clock.advance(by: .seconds(3))
                broker.service.broker.delays.fireRound()
                #expect(count("T", broker) == 3)
                broker.service.broker.delays.fireRound()
                #expect(count("T", broker) == 3)
            }
        }
    }

    @Test("A level's message whose time a stock broker kept in an extension file is delivered when it is due")
    func extensionAddress() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_800_000_000_000))
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                try await fill(client, timers: 0, levels: 2)
                await client.close()
            }
            try changeEntries(of: SystemTopic.schedule, 3, in: directory) { entries in
                for number in 0..<2 { entries.setInteger(Int64.min + Int64(number) * 20, at: number * 20 + 12) }
            }
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let delays = broker.service.broker.delays
                clock.advance(by: .seconds(29))
                delays.fireRound()
                #expect(count("T", broker) == 0, "not early")
                clock.advance(by: .seconds(2))
                delays.fireRound()
                #expect(count("T", broker) == 2)
            }
        }
    }

    @Test("A limit lowered since keeps no delayed, half or failed message from its topic")
    func loweredLimit() async throws {
        let body = String(repeating: "x", count: 5000)
        try await LiveBroker.withDirectory { directory in
            var half = SentHalf(group: "", key: "", queueOffset: 0, logOffset: 0)
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                try await client.send(body, to: "T", properties: [PropertyName.timerDelayMilliseconds: "1"])
                half = try await client.sendHalf(body, to: "H", key: "K")
                await client.close()
            }
            try await LiveBroker.with({ $0.storage.maximumBodyBytes = 100 }, in: directory) { broker in
                let client = FakeClient("p", of: broker)
                let refused = try await client.send(body, to: "T")
                #expect(refused.responseCode == .messageIllegal)
                #expect(try await client.end(half, .commit) == (.success, .accepted))
                #expect(try await client.pull("T", hold: 20_000).1.count == 1)
                #expect(try await client.pull("H", hold: 20_000).1.count == 1)
                await client.close()
            }
        }
    }

    @Test("A delayed message that cannot be delivered is kept where tools find it")
    func undeliverable() async throws {
        try await LiveBroker.with { broker in
            let store = broker.service.broker.store
            var batch = store.makeBatch()
            let host = broker.service.broker.advertisedHost
            for place in ["REAL_TOPIC\u{1}no such/topic\u{2}REAL_QID\u{1}0\u{2}", ""] {
                let draft = MessageDraft(
                    topic: SystemTopic.timerWheel, queueID: 0, bornTimestamp: TimeSource.system.now(), bornHost: host,
                    storeHost: host, body: ByteBuffer(string: "lost?"),
                    properties: ByteBuffer(string: place + "TIMER_OUT_MS\u{1}1")
                )
                try batch.add(draft, to: store.queue(SystemTopic.timerWheel, 0))
            }
            try store.append(&batch)
            store.dispatchPending()
            broker.service.broker.delays.fireRound()
            #expect(count(SystemTopic.undelivered, broker) == 2)
            let client = FakeClient("operator", of: broker)
            let kept = try await client.pull(SystemTopic.undelivered).1
            #expect(kept.map { String(buffer: $0.body) } == ["lost?", "lost?"])
            #expect(try await client.send("x", to: SystemTopic.undelivered).responseCode == .noPermission)
            await client.close()
        }
    }

    /// Each message finds the service asleep until the idle limit, a minute: one missed wake-up shows as that.
    @Test("An arrival always wakes the sleeping service", .timeLimit(.minutes(1)))
    func wakeUps() async throws {
        try await LiveBroker.with { broker in
            let clients = (0..<4).map { FakeClient("p\($0)", of: broker) }
            try await withThrowingTaskGroup { group in
                for (index, client) in clients.enumerated() {
                    group.addTask {
                        for round in 0..<40 {
                            try await client.send(
                                "\(round)", to: "T\(index)",
                                properties: [PropertyName.timerDelayMilliseconds: "\(1 + round % 3)"])
                            let found = try await client.pull("T\(index)", from: Int64(round), hold: 20_000)
                            #expect(found.1.count == 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            for client in clients { await client.close() }
        }
    }
}
