import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

@Suite struct VerifyTests {
    @Test func aGoodStoreIsCleanAndUntouched() throws {
        let store = try VerifyFixture()
        let before = try store.fixture.tree("/store")
        let writes = store.device.count(.write)
        let report = try store.verify()
        #expect(report.findings == [])
        #expect(report.steps == [])
        #expect(report.records == 300)
        #expect(report.queueEntries == 300)
        #expect(report.indexEntries == 900)
        #expect(report.queueEnds[QueueName(topic: "Payments", queueID: 1)] == 50)
        #expect(try store.fixture.tree("/store") == before)
        #expect(store.device.count(.write) == writes)
        #expect(try store.device.entry("/store/quarantine") == nil)
    }

    @Test func aRunningStoreIsRefused() throws {
        let store = try VerifyFixture()
        let running = try store.fixture.open()
        #expect { try store.verify() } throws: { ($0 as? StoreError)?.code == .locked }
        try running.close()
        #expect(try store.verify().findings == [])
    }

    @Test func noStoreIsSaidSo() throws {
        let fixture = StoreFixture()
        #expect {
            try StoreVerifier(fixture.configuration, device: fixture.device).run()
        } throws: {
            ($0 as? StoreError)?.code == .notFound
        }
    }

    @Test func sizesAreReadFromTheFiles() throws {
        let store = try VerifyFixture()
        var configuration = StoreConfiguration(directory: "/store")
        // Not four entries to a slot: the files do not show how they are divided.
        configuration.indexSlots = 500
        configuration.indexEntries = 100
        try StoreShape.apply(to: &configuration, device: store.device)
        #expect(configuration.segmentBytes == 16_384)
        #expect(configuration.queueSegmentEntries == 20)
        #expect(StoreShape.slots(ofFileBytes: 420_000_040) == 5_000_000)
    }

    /// Files 0 to 1 of the log in /old, which is never written to.
    private func withReadOnlyFiles() throws -> (store: VerifyFixture, configuration: StoreConfiguration) {
        let store = try VerifyFixture()
        try store.device.createDirectory("/old")
        for path in try store.segments.prefix(2) {
            let name = try #require(path.split(separator: "/").last)
            try store.device.rename(path, to: "/old/\(name)")
        }
        var configuration = store.fixture.configuration
        configuration.readOnlyLogDirectories = ["/old"]
        return (store, configuration)
    }

    @Test func filesOfReadOnlyDirectoriesAreOfTheLog() throws {
        var (store, configuration) = try withReadOnlyFiles()
        let report = try StoreVerifier(configuration, device: store.device).run()
        #expect(report.findings == [])
        #expect(report.records == 300 && report.logStart == .zero)

        let damaged = "/old/00000000000000016384"
        try store.truncate(damaged, to: 10_000)
        let found = try StoreVerifier(configuration, device: store.device).run()
        #expect(found.damage.contains { $0.kind == .wrongLength && $0.path == damaged && $0.step == nil })
        #expect(!found.steps.contains { $0.text.contains("/old") }, "it is never written to")

        configuration.readOnlyLogDirectories = ["/gone"]
        let error = #expect(throws: StoreError.self) {
            try StoreVerifier(configuration, device: store.device).run()
        }
        #expect(error?.code == .configuration && error?.message.contains("/gone") == true)
    }

    @Test func aStoreMayConsistOfReadOnlyFilesAlone() throws {
        var (store, configuration) = try withReadOnlyFiles()
        for path in try store.segments { try store.device.remove(path) }
        try store.device.remove("/store/commitlog")
        configuration.segmentBytes = 1 << 20
        try StoreShape.apply(to: &configuration, device: store.device)
        #expect(configuration.segmentBytes == 16_384)
        let report = try StoreVerifier(configuration, device: store.device).run()
        #expect(report.records > 0 && report.damage.contains { $0.kind == .shortLog })
    }

    /// Also when the log has lost the records of the file.
    @Test(arguments: [false, true])
    func aMissingFirstQueueFileIsNamed(isExpired: Bool) throws {
        let store = try VerifyFixture()
        if isExpired { for path in try store.segments.dropLast() { try store.device.remove(path) } }
        #expect(try store.verify().damage == [])
        let queue = "/store/consumequeue/Payments/1"
        try store.device.remove("\(queue)/\(String(repeating: "0", count: 20))")
        let found = try store.verify()
        #expect(
            found.damage.contains { $0.path.hasPrefix(queue) && $0.cause == "a file before it is missing" })
        try store.repair(found)
        #expect(try store.verify().damage == [])
    }

    @Test func damageInTheMiddleStaysAndHidesNothing() throws {
        let store = try VerifyFixture()
        let place = try store.place(ofBody: "body 100 ")
        store.device.flipBit(place.path, byte: place.body, bit: 0)
        let log = try store.fixture.tree("/store/commitlog")
        let found = try store.verify()
        #expect(found.damage.map(\.kind) == [.damagedRecord])
        #expect(found.damage.first?.severity == .loss)
        #expect(found.damage.first?.path == place.path)
        #expect(found.damage.first?.offset == place.record)
        #expect(found.records == 299)
        #expect(found.steps == [])

        // Queues that are lost at the same time are built again around it.
        try store.fixture.removeTree("/store/consumequeue")
        try store.fixture.removeTree("/store/index")
        try store.repair(try store.verify())
        let left = try store.verify()
        #expect(left.damage.map(\.kind) == [.damagedRecord])
        #expect(left.queueEntries == 300)
        #expect(left.indexEntries == 900)
        #expect(try store.fixture.tree("/store/commitlog") == log)
    }

    /// Every byte of a record in the middle: what is covered by a check is named, what is not is harmless or shows in
    /// the queue or the index.
    @Test func aFlippedHeaderIsNamed() throws {
        let store = try VerifyFixture()
        let place = try store.place(ofBody: "body 100 ")
        for byte in Array(0..<16) + Array(20..<36) + [84, 85, 86, 87] {
            store.device.flipBit(place.path, byte: place.record + byte, bit: 1)
            #expect(try !store.verify().damage.isEmpty, "byte \(byte)")
            store.device.flipBit(place.path, byte: place.record + byte, bit: 1)
        }
        #expect(try store.verify().findings == [])
    }

    @Test func zerosInTheMiddleAreDamage() throws {
        let store = try VerifyFixture()
        let path = try #require(try store.segments.dropFirst().first)
        try store.overwrite(path, at: 0, String(repeating: "\0", count: 6000))
        let found = try store.verify()
        #expect(found.damage.first?.kind == .damagedRecord)
        #expect(found.damage.first?.path == path)
        #expect(found.damage.first?.offset == 0)
        #expect(!found.damage.contains { $0.kind == .tornTail || $0.kind == .queueOffset })
        #expect(found.records > 250)
    }

    @Test func aMissingSegmentAndALostEnd() throws {
        let store = try VerifyFixture()
        let files = try store.segments
        try #require(files.count > 3)
        let middle = try #require(try store.device.contents(of: files[1]))
        try store.device.remove(files[1])
        #expect(try store.verify().damage.map(\.kind) == [.missingSegment])
        try store.device.open(files[1], .create).write(middle, at: 0)
        #expect(try store.verify().findings == [])

        try store.device.remove(files[files.count - 1])
        let found = try store.verify()
        #expect(found.damage.contains { $0.kind == .shortLog && $0.severity == .loss })
        try store.repair(found)
        #expect(try store.verify().damage == [])
    }

    @Test func whatTheDiskDoesNotReturnIsNamed() throws {
        let store = try VerifyFixture()
        let reads = store.device.count(.read)
        _ = try store.verify()
        let each = store.device.count(.read) - reads
        var named = 0
        for call in 0..<each {
            // The step of the probe, and the blocks that it then tries one by one.
            for _ in 0..<5 { store.device.fail(.read, after: call) }
            if let report = try? store.verify(), report.damage.contains(where: { $0.kind == .unreadable }) {
                named += 1
            }
            store.device.clearFaults()
        }
        #expect(named > 0)
        #expect(try store.verify().findings == [])
    }

    /// What a kill or a power loss leaves is no damage: the next start puts it in order.
    @Test(arguments: 0..<10)
    func aCrashedStoreHasOnlyNotes(_ round: UInt64) throws {
        let seed = TestSeed.current &+ round
        let fixture = StoreFixture(seed: seed)
        var random = SimulatedRandom(seed: seed)
        for _ in 0..<3 {
            let store = try fixture.open()
            for number in 0..<Int(random.next() % 200) {
                try store.put("T\(random.next() % 3)", Int32(random.next() % 2), properties: "KEYS\u{1}k\(number)")
                switch random.next() % 12 {
                case 0: try store.flushNow()
                case 1: store.dispatchPending()
                case 2: try store.saveCheckpoint()
                case 3: store.keepHouse()
                default: break
                }
                fixture.clock.advance(by: .milliseconds(200))
            }
            if random.next() % 2 == 0 { fixture.device.crash() } else { fixture.device.kill() }
            let report = try StoreVerifier(fixture.configuration, device: fixture.device).run()
            #expect(report.damage == [], "seed \(seed)")
            #expect(report.isUnclean)
        }
        let store = try fixture.open()
        try store.close()
        let closed = try StoreVerifier(fixture.configuration, device: fixture.device).run()
        #expect(closed.findings == [], "seed \(seed)")
    }

    @Test func deletedTopicsNeedNoQueues() throws {
        let store = try VerifyFixture()
        let running = try store.fixture.open()
        try running.deleteQueues(ofTopic: "Orders")
        try running.put("Orders", 1, body: "of a new life")
        try running.close()
        #expect(try store.verify().findings == [])
    }

    @Test func halfAndOpRecordsAreCounted() throws {
        let store = try VerifyFixture()
        let running = try store.fixture.open()
        try running.put(SystemTopic.half, body: "half")
        try running.put(SystemTopic.opHalf, body: "0")
        try running.put("Orders", 1, body: "rolled back", flags: SysFlag(rawValue: 0xC))
        try running.close()
        let report = try store.verify()
        #expect(report.findings == [])
        #expect(report.halves == 1)
        #expect(report.ops == 1)
    }
}
