import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

@Suite struct RebuildTests {
    /// A closed store with three queues of several files, and two index files and a half.
    private func closedStore(_ fixture: StoreFixture) throws {
        let store = try fixture.open()
        for number in 0..<130 {
            try store.put(
                "Topic", Int32(number % 2), body: "m\(number)", properties: "KEYS\u{1}k\(number) all\u{2}TAGS\u{1}a")
            if number % 10 == 0 { try store.put("%RETRY%g", 0) }
            fixture.clock.advance(by: .milliseconds(333))
        }
        store.dispatchPending()
        try store.close()
    }

    private func reopened(_ fixture: StoreFixture) throws {
        let told = fixture.arrivals.all.count
        let store = try fixture.open()
        store.dispatchPending()
        #expect(fixture.arrivals.all.count == told, "rebuilding tells nobody")
        for number in 0..<130 {
            #expect(store.pull("Topic", Int32(number % 2), from: Int64(number / 2), count: 1) == ["m\(number)"])
        }
        #expect(
            store.query(topic: "Topic", key: "k77", maximum: 9, begin: .zero, end: Timestamp(milliseconds: .max))
                .records.count == 1)
        try store.close()
    }

    private func indexBytes(_ fixture: StoreFixture) throws -> [ByteBuffer] {
        try fixture.tree("/store/index").sorted { $0.key < $1.key }.map(\.value)
    }

    @Test func deletedQueuesAreRebuiltByteForByte() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let original = try fixture.tree("/store/consumequeue")
        #expect(original.count == 5)
        try fixture.removeTree("/store/consumequeue")
        try reopened(fixture)
        #expect(try fixture.tree("/store/consumequeue") == original)
    }

    @Test func oneDeletedQueueIsNoticedAndRebuilt() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let original = try fixture.tree("/store/consumequeue")
        try fixture.removeTree("/store/consumequeue/Topic/1")
        try reopened(fixture)
        #expect(try fixture.tree("/store/consumequeue") == original)
        #expect(fixture.complaints.all.contains { $0.contains("queue 1 of Topic ends at 0, 65 were recorded") })
    }

    /// So many that several threads load them.
    @Test func veryManyQueuesAreAllThere() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<600 { try store.put("Topic\(number / 2)", Int32(number % 2), body: "m\(number)") }
        try store.close()
        for isKilled in [true, false] {
            let again = try fixture.open()
            #expect(again.allQueues().count == 600)
            for number in 0..<600 {
                #expect(again.pull("Topic\(number / 2)", Int32(number % 2), from: 0) == ["m\(number)"])
            }
            if isKilled { fixture.device.kill() } else { try again.close() }
        }
        #expect(fixture.complaints.all == [])
        try fixture.removeTree("/store/consumequeue/Topic77/1")
        let rebuilt = try fixture.open()
        #expect(fixture.complaints.all.contains { $0.contains("queue 1 of Topic77 ends at 0, 1 were recorded") })
        #expect(rebuilt.pull("Topic77", 1, from: 0) == ["m155"])
    }

    @Test(arguments: ["00000000000000000000", "00000000000000001000"])
    func oneDeletedFileIsNoticedAndRebuilt(name: String) throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let original = try fixture.tree("/store/consumequeue")
        try fixture.device.remove("/store/consumequeue/Topic/1/\(name)")
        try reopened(fixture)
        #expect(try fixture.tree("/store/consumequeue") == original)
        #expect(fixture.complaints.all.contains { $0.contains("rebuilt from the whole log") })
    }

    /// Also after a kill, and when the process dies before all is built again.
    @Test func aQueueWithoutItsFirstFileIsRebuiltAfterAKill() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<130 { try store.put("Topic", body: "m\(number)") }
        store.dispatchPending()
        try store.saveCheckpoint()
        fixture.device.kill()
        try fixture.device.remove("/store/consumequeue/Topic/0/00000000000000000000")
        for _ in 0..<2 {
            let again = try fixture.open()
            #expect(again.minimumOffset(of: again.queue("Topic", 0)) == .zero)
            #expect(again.pull("Topic", from: 5, count: 2) == ["m5", "m6"])
            #expect(again.pull("Topic", from: 129, count: 2) == ["m129"])
            fixture.device.kill()
        }
    }

    @Test func listsWithoutTheBeginningsAreRead() throws {
        let queues = [
            DispatchManifest.Queue(topic: "A", queueID: 1, end: 7, first: 0),
            DispatchManifest.Queue(topic: "B", queueID: 2, end: 9),
        ]
        let manifest = DispatchManifest(forgotten: ["C": LogOffset(rawValue: 5)], queues: queues)
        #expect(try DispatchManifest(parsing: manifest.encode()) == manifest)
        #expect(String(buffer: manifest.encode()).contains("queue 2 9 B\n"), "as before")
    }

    @Test func deletedIndexIsRebuiltByteForByte() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let original = try indexBytes(fixture)
        #expect(original.count == 3)
        try fixture.removeTree("/store/index")
        try reopened(fixture)
        #expect(try indexBytes(fixture) == original)
    }

    @Test func oneDeletedIndexFileIsNoticed() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let original = try indexBytes(fixture)
        let names = try fixture.tree("/store/index").keys.sorted()
        try fixture.device.remove("/store/index/\(names[1])")
        try reopened(fixture)
        #expect(try indexBytes(fixture) == original)
    }

    @Test func everythingDerivedDeletedAlsoTheRecords() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let queues = try fixture.tree("/store/consumequeue")
        let index = try indexBytes(fixture)
        for directory in ["consumequeue", "index", "escrow"] { try fixture.removeTree("/store/\(directory)") }
        try fixture.device.remove("/store/checkpoint")
        try reopened(fixture)
        #expect(try fixture.tree("/store/consumequeue") == queues)
        #expect(try indexBytes(fixture) == index)
    }

    /// As a stock broker leaves it: no records of ours.
    @Test func cleanStoreWithoutOurRecordsContinues() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        let queues = try fixture.tree("/store/consumequeue")
        let index = try indexBytes(fixture)
        try fixture.removeTree("/store/escrow")
        try reopened(fixture)
        #expect(try fixture.tree("/store/consumequeue") == queues)
        #expect(try indexBytes(fixture) == index, "no key is indexed twice")
    }

    @Test func killedStoreIsTheSameAsAClosedOne() throws {
        let reference = StoreFixture()
        try closedStore(reference)
        let fixture = StoreFixture()
        var store: MessageStore? = try fixture.open()
        for number in 0..<130 {
            try store?.put(
                "Topic", Int32(number % 2), body: "m\(number)", properties: "KEYS\u{1}k\(number) all\u{2}TAGS\u{1}a")
            if number % 10 == 0 { try store?.put("%RETRY%g", 0) }
            fixture.clock.advance(by: .milliseconds(333))
            if number % 17 == 0 { store?.dispatchPending() }
            if number % 31 == 0 { store?.keepHouse() }
            if number == 60 { try store?.saveCheckpoint() }
        }
        store = nil
        fixture.device.kill()
        try reopened(fixture)
        #expect(try fixture.tree("/store/consumequeue") == reference.tree("/store/consumequeue"))
        #expect(try indexBytes(fixture) == indexBytes(reference))
    }

    /// What is listed as having files never goes beyond what is durable: a crash does not cause a full rebuild.
    @Test func crashUnderLoadRebuildsOnlyTheEnd() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<50 {
            try store.put("Topic", Int32(number % 3))
            if number == 20 {
                store.dispatchPending()
                try store.saveCheckpoint()
            }
        }
        try store.put("Late")
        store.dispatchPending()
        store.keepHouse()
        try store.deleteQueues(ofTopic: "None")
        try store.put("Gone")
        store.dispatchPending()
        try store.deleteQueues(ofTopic: "Gone")
        try store.flushNow()
        fixture.device.crash()
        let again = try fixture.open()
        #expect(again.pull("Late", from: 0).count == 1)
        #expect(again.maximumOffset(of: again.queue("Topic", 2)).rawValue == 16)
        #expect(!fixture.complaints.all.contains { $0.contains("rebuilt from the whole log") })
    }

    @Test func indexCatchesUpBehindTheQueues() throws {
        let fixture = StoreFixture()
        try closedStore(fixture)
        try fixture.removeTree("/store/index")
        let store = try fixture.open()
        #expect(store.pull("Topic", 0, from: 0, count: 1) == ["m0"])
        #expect(store.statistics.indexedOffset < store.dispatchedOffset, "open does not wait for it")
        try store.put("Topic", 0, body: "new", properties: "KEYS\u{1}new")
        store.dispatchPending()
        #expect(store.statistics.indexedOffset == store.appendedOffset)
        let found = store.query(
            topic: "Topic", key: "new", maximum: 9, begin: .zero, end: Timestamp(milliseconds: .max))
        #expect(found.records.count == 1)
    }

    @Test func countersContinueBehindHalfMessages() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic", 0)
        try store.put("Topic", 0, flags: SysFlag(rawValue: 0x4))
        #expect(try store.put("Topic", 0).queueOffset.rawValue == 1)
        fixture.device.kill()
        let again = try fixture.open()
        #expect(try again.put("Topic", 0).queueOffset.rawValue == 2)
    }
}
