import Foundation
import Logging
import MQProtocol
import NIOCore
import Synchronization
import Testing

@testable import MQStore

/// The store with its threads, on the real disk.
@Suite struct RunningStoreTests {
    /// Counts up to a goal, and lets a test wait for it.
    private final class Counter: Sendable {
        private struct State {
            var count = 0
            var goal = Int.max
            var waiter: CheckedContinuation<Void, Never>?
        }

        private let state = Mutex(State())

        func add(_ count: Int) { update { $0.count += count } }

        func set(_ count: Int) { update { $0.count = max($0.count, count) } }

        func wait(for goal: Int) async {
            await withCheckedContinuation { continuation in
                update { state in
                    state.goal = goal
                    state.waiter = continuation
                }
            }
        }

        private func update(_ body: (inout State) -> Void) {
            let waiter = state.withLock { state in
                body(&state)
                guard state.count >= state.goal else { return nil as CheckedContinuation<Void, Never>? }
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    /// The queues are copies of one with one message.
    @Test func thousandsOfQueuesOpenQuicklyAndKeepFewFilesOpen() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("escrow-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = StoreConfiguration(directory: directory)
        configuration.segmentBytes = 1 << 16
        configuration.maximumBodyBytes = 1 << 12
        configuration.queueSegmentEntries = 50
        configuration.openQueueFiles = 64
        func open() throws -> MessageStore {
            try MessageStore.open(
                configuration, device: FileDevice(), time: .system, logger: LogFixture.silent, observer: StoreObserver()
            )
        }
        let store = try open()
        try store.put("Topic", 0, body: "m")
        try store.close()
        let original = "\(directory)/consumequeue/Topic/0"
        for number in 1..<2000 {
            let topic = "\(directory)/consumequeue/Topic\(number / 100)"
            try FileManager.default.createDirectory(atPath: topic, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: original, toPath: "\(topic)/\(number % 100)")
        }
        let clock = ContinuousClock()
        let started = clock.now
        let again = try open()
        let elapsed = clock.now - started
        #expect(again.allQueues().count == 2000)
        #expect(again.statistics.openQueueFiles <= 64)
        #expect(again.maximumOffset(of: again.queue("Topic17", 33)) == QueueOffset(rawValue: 1))
        #expect(again.pull("Topic", 0, from: 0) == ["m"])
        #expect(elapsed < .seconds(10), "\(elapsed)")
        try again.close()
    }

    @Test(.timeLimit(.minutes(2)))
    func threadsFlushAndDispatchWhatSeveralTasksAppend() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("escrow-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = StoreConfiguration(directory: directory)
        configuration.segmentBytes = 1 << 20
        configuration.maximumBodyBytes = 1 << 16
        configuration.indexSlots = 1000
        configuration.indexEntries = 5000
        configuration.zeroFillWindow = 1 << 20
        configuration.firstWindow = 1 << 18
        let dispatched = Counter()
        let flushed = Counter()
        let observer = StoreObserver(
            flushed: { flushed.set(Int($0.rawValue)) },
            dispatched: { dispatched.add($0.count) }
        )
        let store = try MessageStore.open(
            configuration, device: FileDevice(), time: .system, logger: LogFixture.silent, observer: observer
        )
        try store.start()
        let properties = "KEYS\u{1}key\u{2}TAGS\u{1}a"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for number in 0..<500 {
                        try store.put("Topic", Int32(task), body: "\(number)", properties: properties)
                        if number % 100 == 99 { store.wakeFlusher() }
                    }
                }
            }
            try await group.waitForAll()
        }
        await dispatched.wait(for: 2000)
        store.wakeFlusher()
        await flushed.wait(for: Int(store.appendedOffset.rawValue))
        #expect(store.flushedOffset == store.appendedOffset)
        for task in 0..<4 { #expect(store.pull("Topic", Int32(task), from: 468) == (468..<500).map { "\($0)" }) }
        try store.close()
        let error = #expect(throws: StoreError.self) { try store.put("Topic") }
        #expect(error?.code == .closed)

        let again = try MessageStore.open(
            configuration, device: FileDevice(), time: .system, logger: LogFixture.silent, observer: StoreObserver()
        )
        #expect(again.pull("Topic", 3, from: 499) == ["499"])
        again.dispatchPending()
        let found = again.query(
            topic: "Topic", key: "key", maximum: 64, begin: .zero, end: Timestamp(milliseconds: .max))
        #expect(found.records.count == 64)
        try again.close()
    }
}
