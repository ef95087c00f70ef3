import MQProtocol
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import MQStore

/// What a checkpoint vouches for when the disk fails, and that it goes on.
@Suite struct CheckpointTests {
    /// The system takes for written what it could not write: the flush that succeeds says nothing of it.
    @Test(arguments: [false, true], 0..<8)
    func `A failed flush holds the position until all behind it is written again and flushed`(
        isClosed: Bool, seed: UInt64
    ) throws {
        let fixture = StoreFixture(seed: seed)
        let store = try fixture.openHalfDurable()
        let before = try #require(try store.files.loadPosition()?.queues)
        fixture.device.setDropsPagesOnFailedFlush(seed % 2 == 0)
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try store.saveCheckpoint() }
        #expect(try store.files.loadPosition()?.queues == before)
        #expect(store.house.withLock { $0.hasFailedFlush })
        if isClosed { try store.close() } else { try store.saveCheckpoint() }
        #expect(try store.files.loadPosition()?.queues == store.appendedOffset)
        #expect(!store.house.withLock { $0.hasFailedFlush })
        fixture.device.crash()
        let again = try fixture.open()
        #expect(again.contents("Topic") == (0..<180).map { "m\($0)" }, "seed \(seed)")
        #expect(fixture.complaints.all.filter { !$0.contains("trying again later") } == [], "seed \(seed)")
    }

    @Test func `Retention goes on after a failed flush`() throws {
        var fixture = StoreFixture(segmentBytes: 4096)
        fixture.configuration.retention = .seconds(60)
        fixture.configuration.deletionHours = Set(0..<24)
        let store = try fixture.open()
        for _ in 0..<60 { try store.put("Topic", body: String(repeating: "x", count: 200)) }
        store.dispatchPending()
        try store.flushNow()
        fixture.device.fail(.flush, after: 1)
        #expect(throws: StoreError.self) { try store.saveCheckpoint() }
        fixture.clock.advance(by: .seconds(3600))
        try store.runRetention(now: fixture.clock.now())
        #expect(store.minimumLogOffset > .zero)
    }

    @Test func `A checkpoint passes over a topic that is deleted during it`() throws {
        var fixture = StoreFixture()
        fixture.configuration.openQueueFiles = 1
        let device = HookedDevice(fixture.device)
        let store = try MessageStore.open(
            fixture.configuration, device: device, time: .manual(fixture.clock), logger: LogFixture.silent,
            observer: StoreObserver())
        for topic in ["Gone", "Stays"] { try store.put(topic) }
        store.dispatchPending()
        try store.flushNow()
        store.keepHouse()
        device.onOpen(in: "/store/consumequeue/Gone/0") { try? store.deleteQueues(ofTopic: "Gone") }
        try store.saveCheckpoint()
        #expect(try fixture.device.list("/store/consumequeue/Gone/0") == nil, "it was deleted in the middle")
        #expect(try store.files.loadPosition()?.queues == store.appendedOffset)
        #expect(!store.house.withLock { $0.hasFailedFlush })
        try store.saveCheckpoint()
    }

    @Test func `Its times are those of the newest records, also after the clock was set back`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let start = fixture.clock.now()
        fixture.clock.advance(by: .seconds(3 * 3600))
        for (number, time) in [fixture.clock.now(), start].enumerated() {
            fixture.clock.set(to: time)
            try store.put("Topic", 0, body: "m\(number)")
            try store.flushNow()
            store.dispatchPending()
            try store.saveCheckpoint()
            let checkpoint = try #require(try Checkpoint.load(directory: "/store", device: fixture.device))
            #expect(checkpoint.log == time && checkpoint.queues == time)
        }
        try store.close()
    }

    /// A kill leaves entries in memory, a start takes them for durable, and the power fails: the log still has all.
    @Test(arguments: [false, true], 0..<16)
    func `Without its record no start trusts queue files that were never flushed`(
        isAhead: Bool, seed: UInt64
    ) throws {
        let fixture = StoreFixture(seed: seed, segmentBytes: 4096, queueSegmentEntries: 50)
        let expected = (0..<130).map { "m\($0)" }
        var store = try fixture.open()
        for number in 0..<30 { try store.put("Topic", 0, body: "m\(number)") }
        store.dispatchPending()
        try store.saveCheckpoint()
        for number in 30..<130 { try store.put("Topic", 0, body: "m\(number)") }
        try store.flushNow()
        store.dispatchPending()
        store.keepHouse()
        // A journal writes the names of files before what is in them.
        try fixture.device.syncDirectory("/store/consumequeue/Topic/0")
        fixture.device.kill()
        try fixture.removeTree("/store/escrow")
        if isAhead {
            // As a version wrote it that kept the latest time ever.
            let later = fixture.clock.now().advanced(by: .seconds(3600))
            try Checkpoint(log: later, queues: later).save(directory: "/store", device: fixture.device)
        }
        store = try fixture.open()
        #expect(store.contents("Topic") == expected)
        try store.saveCheckpoint()
        fixture.device.crash()
        store = try fixture.open()
        #expect(store.contents("Topic") == expected)
        try store.close()
    }
}
