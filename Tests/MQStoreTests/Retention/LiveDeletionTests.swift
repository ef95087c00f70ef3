import Foundation
import MQProtocol
import NIOCore
import Synchronization
import Testing

@testable import MQStore

/// Queues that are deleted while messages are appended to them.
@Suite struct LiveDeletionTests {
    private func open(_ fixture: StoreFixture, on device: HookedDevice) throws -> MessageStore {
        try MessageStore.open(
            fixture.configuration, device: device, time: .manual(fixture.clock), logger: LogFixture.silent,
            observer: StoreObserver()
        )
    }

    /// The queue's next number, and whether each message of the last life can be read where its sender was told.
    private func lost(_ sent: [(number: Int64, offset: LogOffset)], of topic: String, _ store: MessageStore) -> [Int64]
    {
        let ref = store.queue(topic, 0)
        guard let life = sent.lastIndex(where: { $0.number == 0 }) else { return [-1] }
        return sent[life...].filter { message in
            let entries = try? store.entries(of: ref, from: QueueOffset(rawValue: message.number), count: 1)
            return entries?.first?.logOffset != message.offset
        }.map(\.number)
    }

    @Test("Messages that come while their topic is deleted are numbered from 0 and readable", .timeLimit(.minutes(1)))
    func topic() async throws {
        var fixture = StoreFixture(segmentBytes: 1 << 20)
        fixture.configuration.flush = .asynchronous(interval: .milliseconds(5))
        let device = HookedDevice(fixture.device)
        let store = try open(fixture, on: device)
        try store.start()
        for round in 0..<20 {
            let topic = "T\(round)"
            for _ in 0..<3 { try store.put(topic) }
            let started = DispatchSemaphore(value: 0)
            let sender = Task.detached {
                var sent: [(number: Int64, offset: LogOffset)] = []
                started.signal()
                for _ in 0..<50 {
                    let item = try store.put(topic)
                    sent.append((item.queueOffset.rawValue, item.logOffset))
                }
                return sent
            }
            // In the middle of the deletion, or before it.
            if round % 2 == 0 { device.onRename { started.wait() } } else { started.wait() }
            try store.deleteQueues(ofTopic: topic)
            var sent = try await sender.value
            let after = try store.put(topic)
            sent.append((after.queueOffset.rawValue, after.logOffset))
            store.dispatchPending()
            #expect(lost(sent, of: topic, store) == [], "round \(round)")
            #expect(store.maximumOffset(of: store.queue(topic, 0)) == store.nextOffset(of: store.queue(topic, 0)))
        }
        try store.close()
    }

    @Test("While queues are deleted, appends to them wait, and others do not")
    func hold() throws {
        let fixture = StoreFixture()
        let device = HookedDevice(fixture.device)
        let store = try open(fixture, on: device)
        try store.put("T")
        let other = Mutex<QueueOffset?>(nil)
        let held = Mutex<Set<Int>>([])
        device.onRename {
            held.withLock { $0 = store.log.state.withLock { $0.held } }
            other.withLock { $0 = try? store.put("Other").queueOffset }
        }
        try store.deleteQueues(ofTopic: "T")
        #expect(held.withLock { $0 } == [store.queue("T", 0).index])
        #expect(other.withLock { $0 } == .zero)
        #expect(store.log.state.withLock { $0.held.isEmpty })
        try store.close()
    }

    @Test("A message that comes while expired queues are deleted keeps its number", arguments: [false, true])
    func expired(isReadableAtOnce: Bool) throws {
        let fixture = StoreFixture(segmentBytes: 4096)
        let device = HookedDevice(fixture.device)
        let store = try open(fixture, on: device)
        for _ in 0..<5 { try store.put("T") }
        while store.appendedOffset.rawValue < 3 * 4096 {
            try store.put("Filler", body: String(repeating: "x", count: 500))
        }
        store.dispatchPending()
        try store.saveCheckpoint()
        _ = try store.log.removeSegments(below: LogOffset(rawValue: 4096))
        let during = Mutex<QueueOffset?>(nil)
        device.onRename {
            during.withLock { $0 = try? store.put("T", body: "during").queueOffset }
            if isReadableAtOnce { store.dispatchPending() }
        }
        #expect(try store.deleteExpiredQueues() == (isReadableAtOnce ? 0 : 1))
        #expect(during.withLock { $0 } == QueueOffset(rawValue: 5))
        #expect(try store.put("T", body: "after").queueOffset == QueueOffset(rawValue: 6))
        store.dispatchPending()
        #expect(store.pull("T", from: 5) == ["during", "after"])
        try store.close()
    }
}
