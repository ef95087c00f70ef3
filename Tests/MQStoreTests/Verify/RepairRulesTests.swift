import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// What repairing goes by besides the damage: what a start believes, what was deleted, and who else is at the store.
@Suite struct RepairRulesTests {
    private static let queueFile = "/store/consumequeue/Payments/1/00000000000000000000"

    private func repair(_ fixture: StoreFixture) -> StoreRepair {
        StoreRepair(
            fixture.configuration, device: fixture.device, time: .manual(fixture.clock), logger: LogFixture.silent)
    }

    // MARK: Deleted topics

    /// It deletes the queues, and the topic's line, and leaves our record of them as it is.
    @Test func aTopicThatAStockBrokerDeletedStaysDeleted() throws {
        let store = try VerifyFixture()
        try store.fixture.removeTree("/store/consumequeue/Orders")
        #expect(try store.verify().damage.contains { $0.kind == .missingQueue }, "nobody knows that it was deleted")
        let found = try store.verify(deleted: ["Orders"])
        #expect(found.findings.map(\.kind) == [.missingQueue, .missingQueue, .missingQueue, .missingQueue])
        #expect(found.damage == [] && found.steps == [])

        // Other damage has everything dispatched again.
        store.device.flipBit(Self.queueFile, byte: 45, bit: 2)
        try store.repair(try store.verify(deleted: ["Orders"]))
        #expect(try store.device.list("/store/consumequeue/Orders") == nil)
        #expect(try store.verify().findings == [], "it is recorded")
        let messages = try store.messages()
        #expect(messages.keys.allSatisfy { $0.hasPrefix("Payments/") })
        #expect(messages.values.map(\.count).reduce(0, +) == 200)
    }

    /// A topic is deleted with all its queues.
    @Test func aLostQueueBesideOthersIsNotDeleted() throws {
        let store = try VerifyFixture()
        let expected = try store.messages()
        try store.fixture.removeTree("/store/consumequeue/Orders/2")
        let found = try store.verify(deleted: ["Orders"])
        #expect(found.damage.map(\.kind) == [.missingQueue])
        try store.repair(found)
        #expect(try store.messages() == expected)
    }

    // MARK: Killed stores

    /// A page of the queue that was not flushed is gone; the log has its records.
    @Test func entriesThatWereNotFlushedAreNotBelieved() throws {
        let fixture = StoreFixture()
        let store = try fixture.openHalfDurable()
        store.keepHouse()
        fixture.device.kill()
        let queue = try fixture.device.open("/store/consumequeue/Topic/0/00000000000000002000", .readWrite)
        try queue.write(ByteBuffer(repeating: 0, count: 200), at: 200)
        try fixture.device.open("/store/checkpoint", .readWrite).setLength(9)
        let verifier = StoreVerifier(fixture.configuration, device: fixture.device)
        let found = try verifier.run()
        #expect(found.isUnclean)
        #expect(found.damage.map(\.kind) == [.checkpoint])
        try repair(fixture).run(found)
        let after = try verifier.run()
        #expect(after.findings == [])
        #expect(after.queueEntries == 180)
        let again = try fixture.open()
        #expect(again.contents("Topic") == (0..<180).map { "m\($0)" })
        try again.close()
    }

    /// The same of an index file that was not full.
    @Test func keysThatWereNotFlushedAreIndexedAgain() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.saveCheckpoint()
        for number in 0..<150 { try store.put("Topic", properties: "KEYS\u{1}k\(number)") }
        store.dispatchPending()
        store.keepHouse()
        fixture.device.kill()
        let newest = try #require(try fixture.device.list("/store/index")?.last?.name)
        let file = try fixture.device.open("/store/index/\(newest)", .readWrite)
        try file.write(ByteBuffer(repeating: 0, count: 200), at: 40 + 4 * 500 + 20 * 10)
        try fixture.device.open("/store/checkpoint", .readWrite).setLength(9)
        let verifier = StoreVerifier(fixture.configuration, device: fixture.device)
        let found = try verifier.run()
        #expect(found.isUnclean && found.steps.contains(.rebuild))
        try repair(fixture).run(found)
        let after = try verifier.run()
        #expect(after.findings == [])
        #expect(after.indexEntries == 150)
    }

    // MARK: Damaged numbers

    /// One bit makes a number of it that no file can be named after. The record is its queue's only one.
    @Test(arguments: [57, 58, 59, 60, 61, 62], [false, true])
    func aQueueOffsetFarBeyondAnyQueueIsReported(bit: Int, hasQueue: Bool) throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let item = try store.put("Single", body: "single")
        for number in 0..<5 { try store.put("Other", body: "\(number)") }
        store.dispatchPending()
        try store.close()
        let byte = Int(item.logOffset.rawValue) + RecordLayout.queueOffset + 7 - bit / 8
        fixture.device.flipBit("/store/commitlog/00000000000000000000", byte: byte, bit: bit % 8)
        if !hasQueue { try fixture.removeTree("/store/consumequeue/Single") }

        let verifier = StoreVerifier(fixture.configuration, device: fixture.device)
        let found = try verifier.run()
        #expect(found.damage.contains { $0.kind == .queueOffset && $0.severity == .loss })
        try repair(fixture).run(found)
        let left = try verifier.run()
        #expect(left.damage.map(\.kind) == [.queueOffset])
        #expect(left.queueEntries == 5)
    }

    @Test func anEntryBeyondEveryBufferIsNone() {
        let buffer = ByteBuffer(repeating: 1, count: 2 * QueueEntry.bytes + 1)
        #expect(buffer.entry(1) != nil)
        for index in [-1, 2, Int.max / QueueEntry.bytes, Int.max] { #expect(buffer.entry(index) == nil) }
    }

    // MARK: Quarantine

    /// A stock broker does not start with a folder among its log files.
    @Test func whatIsSetAsideGoesBesideALogThatIsElsewhere() throws {
        var fixture = StoreFixture()
        fixture.configuration.commitLogDirectories = ["/data/commitlog"]
        let store = try fixture.open()
        for number in 0..<10 { try store.put("Topic", body: "\(number)") }
        store.dispatchPending()
        let end = Int(store.appendedOffset.rawValue)
        try store.close()
        let name = "00000000000000000000"
        try fixture.device.open("/data/commitlog/\(name)", .readWrite).write(ByteBuffer(string: "torn"), at: end + 100)
        _ = try fixture.device.open("/data/commitlog/notes", .create)

        let verifier = StoreVerifier(fixture.configuration, device: fixture.device)
        try repair(fixture).run(try verifier.run())
        #expect(try fixture.device.list("/data/commitlog")?.map(\.name) == [name])
        let kept = try fixture.tree("/data/quarantine").keys
        #expect(kept.contains { $0.hasSuffix("/commitlog/notes") })
        #expect(kept.contains { $0.hasSuffix("/commitlog/\(name).tail-\(end)") })
        #expect(try verifier.run().findings == [])
    }

    // MARK: Locks

    @Test func noBrokerStartsBetweenVerifyingAndRepairing() throws {
        let store = try VerifyFixture()
        store.device.flipBit(Self.queueFile, byte: 45, bit: 2)
        let verifier = StoreVerifier(store.fixture.configuration, device: store.device)
        let repair = repair(store.fixture)
        do {
            let lock = try repair.lock()
            let found = try verifier.run(lock: lock)
            #expect { try store.fixture.open() } throws: { ($0 as? StoreError)?.code == .locked }
            try repair.run(found, lock: lock)
            #expect { try store.fixture.open() } throws: { ($0 as? StoreError)?.code == .locked }
            #expect(try verifier.run(lock: lock).damage == [])
            withExtendedLifetime(lock) {}
        }
        try store.fixture.open().close()
    }

    @Test func whatIsNoStoreIsNotLocked() throws {
        let fixture = StoreFixture()
        #expect { try repair(fixture).lock() } throws: { ($0 as? StoreError)?.code == .notFound }
        #expect(try fixture.device.entry("/store") == nil)
    }
}
