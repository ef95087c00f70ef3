import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Delay levels after damage and changes")
struct DelayRulesTests {
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_800_000_000_000))

    private func count(_ topic: String, _ broker: LiveBroker) -> Int64 {
        let store = broker.service.broker.store
        store.dispatchPending()
        return store.maximumOffset(of: store.queue(topic, 0)).rawValue
    }

    private func fire(after duration: Duration, _ broker: LiveBroker) -> Int64 {
        clock.advance(by: duration)
        broker.service.broker.delays.fireRound()
        return count("T", broker)
    }

    private func send(_ numbers: Range<Int>, _ client: FakeClient) async throws {
        for number in numbers {
            try await client.send("\(number)", to: "T", properties: [PropertyName.delayLevel: "4"])
        }
    }

    @Test("A message stored while the clock was a day ahead holds up no other, and is not early itself")
    func clockAhead() async throws {
        let start = clock.now()
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                clock.set(to: start.advanced(by: .seconds(86_400)))
                try await send(0..<1, client)
                clock.set(to: start)
                try await send(1..<3, client)
                broker.service.broker.store.dispatchPending()
                #expect(fire(after: .seconds(29), broker) == 0)
                // The first one waits for its delay from when it was seen.
                #expect(fire(after: .seconds(2), broker) >= 2)
                #expect(fire(after: .seconds(31), broker) == 3)
                await client.close()
            }
        }
    }

    @Test("A flipped bit in a level's queue holds up no message, and brings none early", arguments: [48, 21])
    func damagedEntry(bit: Int) async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                try await send(0..<3, client)
                await client.close()
            }
            try changeEntries(of: SystemTopic.schedule, 3, in: directory) { entries in
                let due = entries.getInteger(at: 12, as: Int64.self) ?? 0
                let damaged = due ^ 1 << Int64(bit)
                #expect(damaged > due, "the bit makes it later")
                entries.setInteger(damaged, at: 12)
            }
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                #expect(fire(after: .seconds(29), broker) == 0)
                #expect(fire(after: .seconds(2), broker) == 3)
            }
        }
    }

    @Test("What waits in a level that is no longer configured is delivered when it is due, once")
    func shorterLevels() async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                try await send(0..<3, client)
                await client.close()
            }
            for delivered in [false, true] {
                try await LiveBroker.with({ $0.delayLevels = "1s 5s" }, in: directory, time: .manual(clock)) { broker in
                    #expect(fire(after: .seconds(29), broker) == (delivered ? 3 : 0))
                    #expect(fire(after: .seconds(2), broker) == 3)
                    #expect(broker.service.broker.delays.levelOffsets() == [4: 3])
                }
            }
        }
    }

    @Test("No message is delivered into a topic that is closed to clients")
    func closedTopics() async throws {
        try await LiveBroker.with { broker in
            let store = broker.service.broker.store
            var batch = store.makeBatch()
            let host = broker.service.broker.advertisedHost
            let closed = [SystemTopic.timerWheel, SystemTopic.schedule, SystemTopic.half, SystemTopic.opHalf]
            for topic in closed {
                let draft = MessageDraft(
                    topic: SystemTopic.timerWheel, queueID: 0, bornTimestamp: TimeSource.system.now(), bornHost: host,
                    storeHost: host, body: ByteBuffer(string: topic),
                    properties: ByteBuffer(string: "REAL_TOPIC\u{1}\(topic)\u{2}REAL_QID\u{1}0\u{2}TIMER_OUT_MS\u{1}1"))
                try batch.add(draft, to: store.queue(SystemTopic.timerWheel, 0))
            }
            try store.append(&batch)
            store.dispatchPending()
            broker.service.broker.delays.fireRound()
            #expect(count(SystemTopic.undelivered, broker) == Int64(closed.count))
        }
    }
}
