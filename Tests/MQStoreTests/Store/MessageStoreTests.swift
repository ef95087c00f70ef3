import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

@Suite struct MessageStoreTests {
    @Test func appendDispatchSelectCopyCloseReopen() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<5 { try store.put("Topic", 0, body: "m\(number)") }
        #expect(store.pull("Topic", from: 0) == [], "nothing is readable before it is dispatched")
        store.dispatchPending()
        #expect(store.pull("Topic", from: 0) == ["m0", "m1", "m2", "m3", "m4"])
        #expect(store.pull("Topic", from: 3) == ["m3", "m4"])
        #expect(fixture.arrivals.all.map(\.queueOffset.rawValue) == [0, 1, 2, 3, 4])
        #expect(store.dispatchedOffset == store.appendedOffset)
        try store.close()
        #expect(try !fixture.device.exists("/store/abort"))

        let again = try fixture.open()
        #expect(again.pull("Topic", from: 0) == ["m0", "m1", "m2", "m3", "m4"])
        #expect(try again.put("Topic", 0, body: "m5").queueOffset.rawValue == 5)
        again.dispatchPending()
        #expect(again.pull("Topic", from: 4) == ["m4", "m5"])
        #expect(fixture.arrivals.all.count == 6, "recovery tells nobody")
    }

    @Test func adjacentRecordsAreOneRange() throws {
        let store = try StoreFixture().open()
        for number in 0..<4 { try store.put("Topic", 0, body: "m\(number)") }
        try store.put("Other")
        try store.put("Topic", 0, body: "m4")
        store.dispatchPending()
        let selection = store.select(
            store.queue("Topic", 0), from: .zero, maximumCount: 32, limits: PullLimits(), filter: .all
        )
        #expect(selection.ranges.count == 2)
        #expect(selection.count == 5)
        #expect(store.bodies(selection) == ["m0", "m1", "m2", "m3", "m4"])
    }

    @Test func statusTable() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        func status(_ offset: Int64, _ filter: TagFilter = .all) -> [String] {
            let selection = store.select(
                store.queue("Topic", 0), from: QueueOffset(rawValue: offset), maximumCount: 2, limits: PullLimits(),
                filter: filter
            )
            return [
                selection.status.rawValue, "\(selection.nextBegin)", "\(selection.minimum)", "\(selection.maximum)",
            ]
        }
        #expect(status(0) == ["NO_MESSAGE_IN_QUEUE", "0", "0", "0"])
        #expect(status(7) == ["NO_MESSAGE_IN_QUEUE", "0", "0", "0"])
        for number in 0..<3 { try store.put("Topic", 0, body: "m\(number)", properties: "TAGS\u{1}a") }
        store.dispatchPending()
        #expect(status(-1) == ["OFFSET_TOO_SMALL", "0", "0", "3"])
        #expect(status(.min) == ["OFFSET_TOO_SMALL", "0", "0", "3"])
        #expect(status(0) == ["FOUND", "2", "0", "3"])
        #expect(status(2) == ["FOUND", "3", "0", "3"])
        #expect(status(3) == ["OFFSET_OVERFLOW_ONE", "3", "0", "3"])
        #expect(status(4) == ["OFFSET_OVERFLOW_BADLY", "3", "0", "3"])
        #expect(status(.max) == ["OFFSET_OVERFLOW_BADLY", "3", "0", "3"])
        #expect(status(0, TagFilter(expression: "b")) == ["NO_MATCHED_MESSAGE", "3", "0", "3"])
    }

    @Test func limitsCountMessagesAndBytes() throws {
        let fixture = StoreFixture(segmentBytes: 1 << 20)
        let store = try fixture.open()
        for _ in 0..<40 { try store.put("Small") }
        for _ in 0..<4 { try store.put("Big", 0, body: String(repeating: "x", count: 100_000)) }
        store.dispatchPending()
        #expect(store.pull("Small", from: 0, count: 100).count == 32)
        #expect(store.pull("Small", from: 0, count: 5).count == 5)
        #expect(store.pull("Small", from: 0, count: 0).count == 1, "the first message always")
        #expect(store.pull("Big", from: 0).count == 2)
        var limits = PullLimits()
        limits.hotBytes = 10
        let one = store.select(store.queue("Big", 0), from: .zero, maximumCount: 9, limits: limits, filter: .all)
        #expect(one.count == 1)
    }

    @Test func coldReadsAreSmaller() throws {
        var fixture = StoreFixture()
        fixture.configuration.coldDistance = 4000
        fixture.configuration.diskDistance = 4000
        let store = try fixture.open()
        for _ in 0..<60 { try store.put("Topic", 0) }
        store.dispatchPending()
        let queue = store.queue("Topic", 0)
        let cold = store.select(queue, from: .zero, maximumCount: 32, limits: PullLimits(), filter: .all)
        #expect(cold.count == 8)
        #expect(cold.isOnDisk)
        let hot = store.select(
            queue, from: QueueOffset(rawValue: 50), maximumCount: 32, limits: PullLimits(), filter: .all)
        #expect(hot.count == 10)
        #expect(!hot.isOnDisk)
        let onLoop = store.select(
            queue, from: .zero, maximumCount: 32, limits: PullLimits(), filter: .all, mayWait: false)
        #expect(onLoop.mustWait && onLoop.count == 0)
        let hotOnLoop = store.select(
            queue, from: QueueOffset(rawValue: 50), maximumCount: 32, limits: PullLimits(), filter: .all, mayWait: false
        )
        #expect(!hotOnLoop.mustWait && hotOnLoop.count == 10)
        #expect(store.isCold(at: .zero) && !store.isCold(at: LogOffset(rawValue: .max)))
        #expect(!store.isCold(at: LogOffset(rawValue: .min)))
        #expect(store.isOnDisk(queue, at: .zero))
        #expect(!store.isOnDisk(queue, at: QueueOffset(rawValue: 59)))
    }

    @Test func filterSkipsAndCounts() throws {
        let store = try StoreFixture(queueSegmentEntries: 5000).open()
        for number in 0..<1000 {
            try store.put("Topic", 0, body: "m\(number)", properties: number == 900 ? "TAGS\u{1}rare" : "TAGS\u{1}a")
        }
        store.dispatchPending()
        let filter = TagFilter(expression: "rare || other")
        let first = store.select(
            store.queue("Topic", 0), from: .zero, maximumCount: 32, limits: PullLimits(), filter: filter)
        #expect(first.status == .noMatchedMessage)
        #expect(first.nextBegin.rawValue == 800)
        let second = store.select(
            store.queue("Topic", 0), from: first.nextBegin, maximumCount: 32, limits: PullLimits(), filter: filter)
        #expect(store.bodies(second) == ["m900"])
        #expect(second.nextBegin.rawValue == 1000)
    }

    @Test func damagedRecordIsReportedAndSkipped() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<3 { try store.put("Topic", 0, body: "m\(number)") }
        let second = try store.put("Topic", 0, body: "m3")
        try store.put("Topic", 0, body: "m4")
        store.dispatchPending()
        fixture.device.flipBit(
            "/store/commitlog/00000000000000000000", byte: Int(second.logOffset.rawValue) + 30, bit: 3)
        #expect(store.pull("Topic", from: 0) == ["m0", "m1", "m2", "m4"])
        #expect(
            fixture.complaints.all.contains { $0.contains("commitlog/00000000000000000000 at \(second.logOffset)") })
        #expect(store.record(at: second.logOffset) == nil)
    }

    @Test func recordsAreFoundOnlyWhereTheyBegin() throws {
        let store = try StoreFixture().open()
        let first = try store.put("Topic", 0, body: "m0")
        let second = try store.put("Topic", 0, body: "m1")
        #expect(store.record(at: first.logOffset)?.readableBytes == Int(first.size))
        #expect(store.record(at: second.logOffset) != nil)
        for wrong in [Int64.min, -1, 1, second.logOffset.rawValue + 1, store.appendedOffset.rawValue, .max] {
            #expect(store.record(at: LogOffset(rawValue: wrong)) == nil)
        }
    }

    @Test func halfAndRollbackRecords() throws {
        let store = try StoreFixture().open()
        try store.put("Topic", 0, body: "prepared", properties: "KEYS\u{1}k", flags: SysFlag(rawValue: 0x4))
        try store.put("Topic", 0, body: "committed", properties: "KEYS\u{1}k", flags: SysFlag(rawValue: 0x8))
        try store.put("Topic", 0, body: "rolledBack", properties: "KEYS\u{1}k", flags: SysFlag(rawValue: 0xC))
        store.dispatchPending()
        #expect(store.pull("Topic", from: 0) == ["committed"])
        let found = store.query(topic: "Topic", key: "k", maximum: 9, begin: .zero, end: Timestamp(milliseconds: .max))
        #expect(found.records.count == 2, "all but the rollback are indexed")
    }

    @Test func secondOpenerIsRefused() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let error = #expect(throws: StoreError.self) { try fixture.open() }
        #expect(error?.code == .locked)
        try store.close()
    }
}
