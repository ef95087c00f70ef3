import MQBroker
import MQProtocol
import NIOCore
import Testing

@Suite struct DelayRequestTests {
    let now = Timestamp(milliseconds: 1_700_000_000_123)

    func request(_ text: String) throws -> DelayRequest? {
        let text = ByteBuffer(string: text)
        return try SendProperties(text).delay(in: text)?.request(now: now)
    }

    @Test func noDelayIsNone() throws {
        #expect(try request("TAGS\u{1}a\u{2}KEYS\u{1}k") == nil)
        #expect(try request("DELAY\u{1}0") == nil)
    }

    @Test func aLevelWinsOverEveryTimer() throws {
        #expect(try request("TIMER_DELAY_SEC\u{1}5\u{2}DELAY\u{1}3") == .level(3))
    }

    @Test func secondsWinOverMillisecondsAndDate() throws {
        let all = "TIMER_DELIVER_MS\u{1}1\u{2}TIMER_DELAY_MS\u{1}7\u{2}TIMER_DELAY_SEC\u{1}2"
        #expect(try request(all) == .at(now.advanced(by: .seconds(2))))
    }

    @Test func millisecondsAreExact() throws {
        #expect(try request("TIMER_DELAY_MS\u{1}1501") == .at(now.advanced(by: .milliseconds(1501))))
        let date = now.milliseconds + 77
        #expect(try request("TIMER_DELIVER_MS\u{1}\(date)") == .at(Timestamp(milliseconds: date)))
    }

    @Test func fortyDaysAreFineAndAPastDateIsNow() throws {
        let forty = 40 * 86_400
        #expect(try request("TIMER_DELAY_SEC\u{1}\(forty)") == .at(now.advanced(by: .seconds(forty))))
        #expect(try request("TIMER_DELIVER_MS\u{1}\(now.milliseconds)") == nil)
        #expect(try request("TIMER_DELAY_SEC\u{1}-5") == nil)
    }

    @Test(arguments: [
        "TIMER_DELAY_SEC\u{1}9223372036854775807", "TIMER_DELAY_SEC\u{1}34560001",
        "TIMER_DELIVER_MS\u{1}9223372036854775807",
    ])
    func outOfRangeIsRefused(_ text: String) {
        #expect(throws: DelayRequest.Refusal.tooFar) { try request(text) }
    }

    @Test func whatIsNoNumberIsRefusedByName() {
        #expect(throws: DelayRequest.Refusal.notANumber("TIMER_DELAY_MS")) { try request("TIMER_DELAY_MS\u{1}soon") }
    }

    @Test func aTimedMessageIsNotTimedAgain() throws {
        #expect(try request("TIMER_DELAY_SEC\u{1}5\u{2}TIMER_OUT_MS\u{1}1") == nil)
    }

    @Test func aRewriteKeepsTheRealPlaceInTheProperties() {
        var draft = MessageDraft(
            topic: "Orders", queueID: 2, bornTimestamp: now, bornHost: HostAddress(ip: .v4(1), port: 1),
            storeHost: HostAddress(ip: .v4(1), port: 1), body: ByteBuffer(),
            properties: ByteBuffer(string: "DELAY\u{1}99")
        )
        draft.wait(for: .level(99), maximumLevel: 18)
        #expect(draft.topic == "SCHEDULE_TOPIC_XXXX")
        #expect(draft.queueID == 17)
        let properties = MessageProperties(text: draft.properties)
        #expect(properties["REAL_TOPIC"] == "Orders")
        #expect(properties["REAL_QID"] == "2")
        #expect(properties["DELAY"] == "18")
    }

    @Test func aWatermarkWithAFlippedDigitIsNotBelieved() throws {
        let mark = FiringWatermark(
            [.init(dueUpTo: Timestamp(milliseconds: 1_700_000_000_000), queueEnd: QueueOffset(rawValue: 5))],
            copiedBelow: LogOffset(rawValue: 7))
        var text = mark.encodePretty()
        #expect(try FiringWatermark.decode(text) == mark)
        let position = try #require(text.readableBytesView.firstIndex(of: UInt8(ascii: "5")))
        text.setInteger(UInt8(ascii: "7"), at: position)
        #expect(throws: BodyError.self) { try FiringWatermark.decode(text) }
        let old = ByteBuffer(string: #"{"dueUpTo": 3, "queueEnd": 4}"#)
        #expect(try FiringWatermark.decode(old).queueEnd.rawValue == 4)
    }

    private func mark(_ due: Int64, _ end: Int64) -> FiringWatermark.Mark {
        .init(dueUpTo: Timestamp(milliseconds: due), queueEnd: QueueOffset(rawValue: end))
    }

    @Test func aWatermarkKeepsTheMarksThatNoOtherIncludes() throws {
        var watermark = FiringWatermark()
        for mark in [mark(10, 1), mark(20, 2), mark(20, 2), mark(15, 1)] { watermark.note(mark) }
        #expect(watermark.marks == [mark(20, 2)])
        // The clock is set back, and catches up.
        watermark.note(mark(5, 3))
        watermark.note(mark(7, 4))
        #expect(watermark.marks == [mark(20, 2), mark(7, 4)])
        #expect(try FiringWatermark.decode(watermark.encodePretty()) == watermark)
        watermark.note(mark(20, 5))
        #expect(watermark.marks == [mark(20, 5)])
    }

    @Test func aWatermarkIsBounded() {
        var watermark = FiringWatermark()
        for step in 1...100 { watermark.note(mark(1000 - Int64(step), Int64(step))) }
        #expect(watermark.marks.count == FiringWatermark.markLimit)
        #expect(watermark.marks.first == mark(999, 1) && watermark.marks.last == mark(900, 100))
    }

    @Test func aWatermarkAnswersForAllItsMarks() {
        let watermark = FiringWatermark([mark(20, 2), mark(7, 4)])
        for (due, offset, isCovered) in [(20, 1, true), (20, 2, false), (7, 3, true), (8, 3, false), (7, 4, false)] {
            let due = Timestamp(milliseconds: Int64(due))
            #expect(
                watermark.covers(due: due, at: QueueOffset(rawValue: Int64(offset)), logOffset: .zero) == isCovered,
                "due \(due) at \(offset)")
        }
        // A queue that ends earlier leaves what is true of the rest.
        let limited = watermark.limited(to: QueueOffset(rawValue: 1), log: .zero)
        #expect(limited.marks == [mark(20, 1)])
    }

    @Test func theWatermarkCoversOnlyWhatWasArmedBefore() {
        let copied = LogOffset(rawValue: 1000)
        let mark = FiringWatermark([.init(dueUpTo: now, queueEnd: QueueOffset(rawValue: 5))], copiedBelow: copied)
        let later = now.advanced(by: .milliseconds(1))
        #expect(mark.covers(due: now, at: QueueOffset(rawValue: 4), logOffset: copied))
        #expect(!mark.covers(due: now, at: QueueOffset(rawValue: 5), logOffset: copied))
        #expect(!mark.covers(due: later, at: QueueOffset(rawValue: 4), logOffset: copied))
        #expect(mark.covers(due: later, at: QueueOffset(rawValue: 4), logOffset: LogOffset(rawValue: 999)))
    }
}
