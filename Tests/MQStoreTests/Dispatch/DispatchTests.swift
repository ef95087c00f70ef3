import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

@Suite struct DispatchTests {
    @Test func tagsCodeIsTheDeliveryTimeOfDelayedMessages() throws {
        let fixture = StoreFixture()
        fixture.clock.set(to: Timestamp(milliseconds: 1_795_225_565_674))
        let store = try fixture.open()
        try store.put("SCHEDULE_TOPIC_XXXX", 1, properties: "DELAY\u{1}2\u{2}TAGS\u{1}TagD")
        try store.put("SCHEDULE_TOPIC_XXXX", 1, properties: "DELAY\u{1}99")
        try store.put("SCHEDULE_TOPIC_XXXX", 1, properties: "TAGS\u{1}TagA")
        try store.put("rmq_sys_wheel_timer", 0, properties: "TIMER_OUT_MS\u{1}1795225999999")
        try store.put("Topic", 0, properties: "DELAY\u{1}2\u{2}TAGS\u{1}TagA")
        try store.put("Topic", 0, properties: "KEYS\u{1}x")
        store.dispatchPending()
        #expect(
            fixture.arrivals.all.map(\.tagsCode) == [
                0x1A1_FBC8_4D72, 1_795_225_565_674 + 7_200_000, 2_598_919, 1_795_225_999_999, 2_598_919, 0,
            ]
        )
    }

    @Test func delayLevelsParse() {
        #expect(DelayLevels(DelayLevels.standardText) == .standard)
        #expect(DelayLevels("1s 2m 3h 4d")?.milliseconds == [1000, 120_000, 10_800_000, 345_600_000])
        for wrong in ["", "1", "s", "1x", "1s  2s", "-1s", "9223372036854775807d"] {
            #expect(DelayLevels(wrong) == nil)
        }
        let stored = Timestamp(milliseconds: 100)
        #expect(DelayLevels.standard.deliveryTime(level: 0, storedAt: stored).milliseconds == 1100)
        #expect(DelayLevels.standard.deliveryTime(level: 18, storedAt: stored).milliseconds == 7_200_100)
        #expect(DelayLevels.standard.deliveryTime(level: .max, storedAt: stored).milliseconds == 7_200_100)
    }

    @Test func propertiesAreFoundInOnePass() {
        let text =
            "TAGS\u{1}a\u{2}UNIQ_KEY\u{1}u\u{2}KEYS\u{1}k1 k2\u{2}DELAY\u{1}3\u{2}TIMER_OUT_MS\u{1}5\u{2}TAGS\u{1}last"
        let bytes = Array(text.utf8)
        let found = RecordProperties(bytes.span, 0..<bytes.count)
        func value(_ range: Range<Int>?) -> String? { range.map { String(decoding: bytes[$0], as: UTF8.self) } }
        #expect(value(found.tags) == "last")
        #expect(value(found.keys) == "k1 k2")
        #expect(value(found.uniqueKey) == "u")
        #expect(value(found.delayLevel) == "3")
        #expect(value(found.timerOut) == "5")
        let none = Array("TAGSX\u{1}a\u{2}DELAZ\u{1}3\u{2}UNIQ_KEZ\u{1}u\u{2}TIMER_OUT_MX\u{1}5\u{2}tags\u{1}a".utf8)
        let nothing = RecordProperties(none.span, 0..<none.count)
        #expect(nothing.tags == nil && nothing.uniqueKey == nil && nothing.delayLevel == nil && nothing.timerOut == nil)
    }

    @Test func manyTopicsFindTheirQueues() throws {
        let fixture = StoreFixture(segmentBytes: 1 << 20)
        let store = try fixture.open()
        for round in 0..<2 {
            for number in 0..<300 { try store.put("Topic\(number % 100)", Int32(number / 100), body: "\(round)") }
        }
        store.dispatchPending()
        for number in 0..<300 {
            #expect(store.pull("Topic\(number % 100)", Int32(number / 100), from: 0) == ["0", "1"])
        }
    }

    @Test func segmentsAreCrossed() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try fixture.open()
        for number in 0..<40 { try store.put("Topic", 0, body: "m\(number)") }
        store.dispatchPending()
        #expect(store.pull("Topic", from: 0, count: 99) == (0..<32).map { "m\($0)" })
        #expect(store.dispatchedOffset == store.appendedOffset)
    }

    /// A damaged record in the middle of an old segment costs only itself when everything is rebuilt.
    @Test func rebuildingPassesADamagedRecord() throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try fixture.open()
        for number in 0..<40 { try store.put("Topic", 0, body: "m\(number)") }
        store.dispatchPending()
        let third = try #require(
            try store.entries(of: store.queue("Topic", 0), from: QueueOffset(rawValue: 2), count: 1).first)
        try store.close()
        fixture.device.flipBit("/store/commitlog/00000000000000000000", byte: Int(third.logOffset.rawValue) + 5, bit: 1)
        try fixture.removeTree("/store/consumequeue")
        let again = try fixture.open()
        #expect(again.pull("Topic", from: 0, count: 5) == ["m0", "m1", "m3", "m4", "m5"])
        #expect(again.maximumOffset(of: again.queue("Topic", 0)).rawValue == 40)
        #expect(again.searchOffset(of: again.queue("Topic", 0), at: fixture.clock.now()).rawValue < 40)
        #expect(fixture.complaints.all.contains { $0.contains("00000000000000000000 at \(third.logOffset)") })
    }

    @Test func failingQueueFilesRefuseAppendsUntilTheyWorkAgain() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic", 0, body: "m0")
        store.dispatchPending()
        fixture.device.fail(.write, permanently: true)
        store.keepHouse()
        let error = #expect(throws: StoreError.self) { try store.put("Topic", 0, body: "m1") }
        #expect(error?.message.contains("consume queues") ?? false)
        #expect(store.pull("Topic", from: 0) == ["m0"], "reading goes on")
        fixture.device.clearFaults()
        store.keepHouse()
        #expect(store.refusal == nil)
        try store.put("Topic", 0, body: "m1")
    }
}
