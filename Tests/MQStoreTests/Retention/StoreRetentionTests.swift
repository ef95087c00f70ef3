import MQProtocol
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import MQStore

@Suite struct StoreRetentionTests {
    /// About 8 records of a segment, 60 records, all segments but the last older than the limit.
    private func filled(
        _ fixture: StoreFixture, willDelete: @escaping @Sendable (LogOffset) -> LogOffset = { $0 },
        deleted: @escaping @Sendable (Range<LogOffset>) -> Void = { _ in }
    ) throws -> MessageStore {
        let store = try fixture.open(willDelete: willDelete, deleted: deleted)
        for number in 0..<60 { try store.put("Topic", 0, body: "m\(number)", properties: "KEYS\u{1}k\(number)") }
        try store.put("Old", 0)
        for number in 60..<120 { try store.put("Topic", 0, body: "m\(number)", properties: "KEYS\u{1}k\(number)") }
        store.dispatchPending()
        try store.flushNow()
        store.keepHouse()
        fixture.clock.advance(by: .seconds(73 * 3600))
        return store
    }

    private func expire(_ store: MessageStore, runs: Int = 1, _ fixture: StoreFixture) {
        store.deleteExpiredLog()
        for _ in 0..<runs {
            fixture.clock.advance(by: .seconds(11))
            store.keepHouse()
        }
    }

    @Test func deletionMovesMinimaAndRemovesFiles() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        let queue = store.queue("Topic", 0)
        let segments = try #require(try fixture.device.list("/store/commitlog")).count
        #expect(segments > 12)
        expire(store, fixture)
        #expect(store.minimumLogOffset.rawValue == 10 * 1024, "at most ten files in one run")
        let minimum = store.minimumOffset(of: queue)
        #expect(minimum.rawValue > 50)
        #expect(store.pull("Topic", from: minimum.rawValue, count: 1) == ["m\(minimum)"])
        #expect(
            store.select(queue, from: .zero, maximumCount: 1, limits: PullLimits(), filter: .all).status
                == .offsetTooSmall)
        let files = try #require(try fixture.device.list("/store/consumequeue/Topic/0"))
        #expect(files.first?.name == "00000000000000001000")
        #expect(store.earliestStoreTimestamp != nil)
        #expect(store.record(at: .zero) == nil, "no fall-back to the oldest file")
        try store.close()
        let again = try fixture.open()
        #expect(again.minimumOffset(of: again.queue("Topic", 0)) == minimum)
        #expect(again.searchOffset(of: again.queue("Topic", 0), at: .zero) == minimum)
    }

    @Test func filesThatExpiredAreNotTakenForLost() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        try store.saveCheckpoint()
        expire(store, fixture)
        #expect(
            try fixture.device.list("/store/consumequeue/Topic/0")?.first?.name == "00000000000000001000")
        fixture.device.kill()
        for _ in 0..<2 {
            let again = try fixture.open()
            #expect(fixture.complaints.all == [])
            try again.close()
            #expect(try StoreVerifier(fixture.configuration, device: fixture.device).run().damage == [])
        }
    }

    /// The next start clears the entries behind the recorded position: their records must be there to make them again.
    @Test func whileQueuesCannotBeFlushedOnlyWhatIsRecordedGoes() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        try store.saveCheckpoint()
        let recorded = try #require(try store.files.loadPosition()).queues
        try store.put("Topic", 0, body: "m120")
        store.dispatchPending()
        try store.flushNow()
        for number in 121..<300 { try store.put("Topic", 0, body: "m\(number)") }
        store.dispatchPending()
        try store.flushNow()
        fixture.clock.advance(by: .seconds(73 * 3600))
        // So full that it cannot wait.
        let space = try fixture.device.space(at: "/store")
        fixture.device.setCapacity((space.total - space.available) * 100 / 87)
        fixture.device.fail(.flush, permanently: true)
        expire(store, runs: 10, fixture)
        #expect(store.minimumLogOffset <= recorded)
        #expect(store.minimumLogOffset > .zero)
        fixture.device.clearFaults()
        fixture.device.setCapacity(nil)
        fixture.device.crash()
        let again = try fixture.open()
        #expect(again.maximumOffset(of: again.queue("Topic", 0)).rawValue == 300)
        try again.close()
    }

    @Test func queueWithNothingReadableLeft() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        expire(store, runs: 3, fixture)
        let old = store.queue("Old", 0)
        #expect(store.minimumOffset(of: old).rawValue == 1)
        #expect(store.maximumOffset(of: old).rawValue == 1)
        #expect(
            store.select(old, from: .zero, maximumCount: 1, limits: PullLimits(), filter: .all).status
                == .offsetTooSmall)
        #expect(store.storeTimestamp(of: old, at: .zero) == nil)
        #expect(try store.deleteExpiredQueues() == 1)
        #expect(try fixture.device.list("/store/consumequeue/Old/0") == nil)
        #expect(try store.put("Old", 0, body: "next").queueOffset.rawValue == 1, "the queue goes on")
        store.dispatchPending()
        #expect(store.pull("Old", from: 1) == ["next"])
        try store.close()
        let again = try fixture.open()
        #expect(again.pull("Old", from: 1) == ["next"])
    }

    /// Files that could not be deleted are back with the next start, and their messages with them.
    @Test func queueWhoseSegmentsCouldNotBeDeletedIsKept() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        fixture.device.fail(.remove, permanently: true)
        expire(store, runs: 3, fixture)
        #expect(store.minimumLogOffset > .zero)
        #expect(try store.deleteExpiredQueues() == 0)
        fixture.device.clearFaults()
        fixture.device.kill()
        let again = try fixture.open()
        #expect(again.pull("Old", from: 0) == ["body"])
        #expect(try again.put("Old", 0).queueOffset.rawValue == 1)
    }

    @Test("While a file of the log cannot be deleted, nothing leaves the log but what the first run took")
    func undeletable() throws {
        let told = Mutex<[Range<LogOffset>]>([])
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture, deleted: { range in told.withLock { $0.append(range) } })
        let files = try #require(try fixture.device.list("/store/commitlog")).map(\.name)
        fixture.device.fail(.remove, permanently: true)
        expire(store, runs: 3, fixture)
        let minimum = LogOffset(rawValue: 10 * 1024)
        #expect(store.minimumLogOffset == minimum)
        #expect(told.withLock { $0 } == [LogOffset.zero..<minimum], "told once, although the files are there")
        #expect(try fixture.device.list("/store/commitlog")?.map(\.name) == files)
        // With those files their messages are back at the next start: they need their entries.
        let queueFiles = "/store/consumequeue/Topic/0"
        #expect(try fixture.device.list(queueFiles)?.first?.name == "00000000000000000000")

        fixture.device.clearFaults()
        expire(store, fixture)
        let reached = store.minimumLogOffset
        #expect(reached > minimum)
        #expect(told.withLock { $0 } == [LogOffset.zero..<minimum, minimum..<reached])
        #expect(try fixture.device.list("/store/commitlog")?.first?.name == SegmentName.text(reached))
        #expect(try fixture.device.list(queueFiles)?.first?.name != "00000000000000000000")
        #expect(store.log.deletedOffset == reached)
    }

    @Test("Files in front of one that cannot be deleted are gone for good, those behind it stay")
    func undeletableInTheMiddle() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        fixture.device.fail(.remove, after: 7)
        expire(store, fixture)
        let first = LogOffset(rawValue: 7 * 1024)
        #expect(store.minimumLogOffset.rawValue == 10 * 1024)
        #expect(store.log.deletedOffset == first)
        fixture.device.crash()
        let again = try fixture.open()
        #expect(again.minimumLogOffset == first)
        #expect(again.pull("Topic", from: again.minimumOffset(of: again.queue("Topic", 0)).rawValue, count: 1) != [])
        #expect(again.maximumOffset(of: again.queue("Topic", 0)).rawValue == 120)
    }

    @Test(
        "What could not be deleted goes with the next run, whatever that one is to delete",
        arguments: [SimulatedDevice.Operation.remove, .syncDirectory])
    func deletedLater(failing: SimulatedDevice.Operation) throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        fixture.device.fail(failing)
        let first = LogOffset(rawValue: 4 * 1024)
        #expect(throws: StoreError.self) { try store.log.removeSegments(below: first) }
        #expect(store.minimumLogOffset == first)
        #expect(store.log.deletedOffset == .zero)
        // Nobody asked for a deletion.
        store.keepHouse()
        #expect(store.log.deletedOffset >= first)
        #expect(
            try fixture.device.list("/store/commitlog")?.first?.name == SegmentName.text(store.log.deletedOffset))
    }

    @Test func queuesThatCannotBeReadAreKept() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        // From now on entries are read from the files.
        for _ in 0..<2 { store.keepHouse() }
        for reads in 0..<6 {
            fixture.device.fail(.read, after: reads)
            #expect(try store.deleteExpiredQueues() == 0)
            fixture.device.clearFaults()
        }
        #expect(store.pull("Topic", from: 0, count: 1) == ["m0"])
    }

    @Test func aTopicOfWhichOnlyTheCounterIsLeftCanBeDeleted() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        expire(store, runs: 3, fixture)
        #expect(try store.deleteExpiredQueues() == 1)
        #expect(store.nextOffset(of: store.queue("Old", 0)).rawValue == 1)
        try store.deleteQueues(ofTopic: "Old")
        #expect(try store.put("Old", 0, body: "new").queueOffset == .zero)
        store.dispatchPending()
        #expect(store.pull("Old", from: 0) == ["new"])
    }

    @Test func observerPostponesDeletion() throws {
        let asked = Mutex<[LogOffset]>([])
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture) { offset in
            asked.withLock { $0.append(offset) }
            return LogOffset(rawValue: 2500)
        }
        expire(store, fixture)
        #expect(asked.withLock { $0 } == [LogOffset(rawValue: 10 * 1024)])
        #expect(store.minimumLogOffset.rawValue == 2048)
        expire(store, fixture)
        #expect(store.minimumLogOffset.rawValue == 2048)
    }

    /// What is to be copied forward is known only once it is dispatched.
    @Test func deletionWaitsForTheDispatcher() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let arrivals = fixture.arrivals
        let asked = Mutex<[(limit: LogOffset, told: LogOffset?)]>([])
        let store = try fixture.open { limit in
            asked.withLock { $0.append((limit, arrivals.all.last?.logOffset)) }
            return limit
        }
        var offsets: [LogOffset] = []
        for number in 0..<100 { offsets.append(try store.put("Topic", body: "m\(number)").logOffset) }
        try store.flushNow()
        fixture.clock.advance(by: .seconds(73 * 3600))
        #expect(store.dispatchedOffset == .zero)
        expire(store, fixture)
        let (limit, told) = try #require(asked.withLock { $0.first })
        #expect(limit.rawValue == store.appendedOffset.rawValue / 1024 * 1024)
        let (newest, wanted) = (try #require(told), try #require(offsets.last { $0 < limit }))
        #expect(newest >= wanted)
        #expect(store.minimumLogOffset == limit)
        store.dispatchPending()
        #expect(store.pull("Topic", from: 99) == ["m99"])
    }

    @Test func selectionOutlivesItsSegment() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        let selection = store.select(
            store.queue("Topic", 0), from: .zero, maximumCount: 20, limits: PullLimits(), filter: .all)
        expire(store, fixture)
        #expect(store.bodies(selection) == (0..<20).map { "m\($0)" })
    }

    @Test func fullDiskRefusesWithItsCauseAndRecovers() throws {
        var fixture = StoreFixture()
        fixture.configuration.diskFullRatio = 0.5
        fixture.configuration.deletesForcibly = false
        let store = try fixture.open()
        try store.put("Topic", 0, body: "m0")
        store.dispatchPending()
        fixture.device.setCapacity(1 << 16)
        for _ in 0..<60 { if (try? store.put("Topic", 0, body: String(repeating: "x", count: 1000))) == nil { break } }
        fixture.clock.advance(by: .seconds(61))
        store.keepHouse()
        #expect(store.statistics.isFull)
        let error = #expect(throws: StoreError.self) { try store.put("Topic", 0) }
        #expect(error?.code == .diskFull)
        #expect(store.pull("Topic", from: 0, count: 1) == ["m0"])
        fixture.device.setCapacity(1 << 24)
        fixture.clock.advance(by: .seconds(11))
        store.keepHouse()
        try store.put("Topic", 0)
    }

    @Test func deletedTopicBeginsAgainAndStaysDeletedAfterAKill() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<3 { try store.put("Topic", 0, body: "old\(number)") }
        try store.put("Kept", 0)
        store.dispatchPending()
        let held = store.queue("Topic", 0)
        #expect(try store.deleteQueues(except: { $0 == "Kept" }) == 1)
        #expect(store.maximumOffset(of: held) == .zero)
        #expect(try fixture.device.list("/store/consumequeue/Topic/0") == nil)
        #expect(try store.put("Topic", 0, body: "new").queueOffset == .zero)
        store.dispatchPending()
        #expect(store.pull("Topic", from: 0) == ["new"])
        #expect(store.queue("Topic", 0) == held)
        fixture.device.kill()
        for _ in 0..<2 {
            let again = try fixture.open()
            #expect(again.pull("Topic", from: 0) == ["new"])
            #expect(again.pull("Kept", from: 0).count == 1)
            try again.close()
        }
        try fixture.removeTree("/store/consumequeue")
        let rebuilt = try fixture.open()
        #expect(rebuilt.pull("Topic", from: 0) == ["new"])
        try rebuilt.deleteQueues(ofTopic: "Topic")
        try rebuilt.close()
        let last = try fixture.open()
        #expect(last.pull("Topic", from: 0) == [])
        #expect(last.pull("Kept", from: 0).count == 1)
    }
}
