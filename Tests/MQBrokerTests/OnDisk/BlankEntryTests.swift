import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// An entry that stands for a lost record, as a queue that was built again has them, does not stand for the first
/// record of the log.
@Suite("Entries without a record in the broker's own queues")
struct BlankEntryTests {
    private func blank(_ number: Int, of topic: String, in directory: URL) throws {
        try changeEntries(of: topic, in: directory) { entries in
            entries.setInteger(Int64(0), at: number * 20)
            entries.setInteger(Int32.max, at: number * 20 + 8)
            entries.setInteger(Int64(0), at: number * 20 + 12)
        }
    }

    @Test("A timer is not armed again for it")
    func timers() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_800_000_000_000))
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                for number in 0..<3 {
                    try await client.send(
                        "t\(number)", to: "T", properties: [PropertyName.timerDelayMilliseconds: "20000"])
                }
                await client.close()
            }
            try blank(1, of: SystemTopic.timerWheel, in: directory)
            // Or it would say that they are armed, and the blank one past its time.
            for name in ["timerWatermark.json", "timerWatermark.json.bak"] {
                try? FileManager.default.removeItem(at: directory.appending(path: "config/\(name)"))
            }
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let delays = broker.service.broker.delays
                let store = broker.service.broker.store
                #expect(delays.pendingTimers == 2)
                delays.fireRound()
                store.dispatchPending()
                #expect(store.maximumOffset(of: store.queue("T", 0)) == .zero, "not early")
            }
        }
    }

    @Test("A half message that was decided is not found again at its place")
    func halves() async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                let transactions = broker.service.broker.transactions
                let store = broker.service.broker.store
                let half = try await client.sendHalf("order 0", to: "T", key: "K0")
                #expect(half.logOffset == 0)
                #expect(try await client.end(half, .commit) == (.success, .accepted))
                try store.flushNow()
                store.dispatchPending()
                // The next start does not look at it.
                transactions.noteProgress(transactions.ends)
                transactions.saveCheckCounts()
                for number in 1...2 { _ = try await client.sendHalf("order", to: "T", key: "K\(number)") }
                await client.close()
            }
            try blank(1, of: SystemTopic.half, in: directory)
            try await LiveBroker.with(in: directory) { broker in
                #expect(broker.service.broker.transactions.undecidedCount == 1)
            }
        }
    }
}
