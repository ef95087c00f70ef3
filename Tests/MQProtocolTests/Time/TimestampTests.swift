import Testing

@testable import MQProtocol

@Suite struct TimestampTests {
    @Test func addsDurationsRoundedDown() {
        let time = Timestamp(milliseconds: 1000)
        #expect(time.advanced(by: .microseconds(1999)).milliseconds == 1001)
        #expect(time.advanced(by: .microseconds(-1)).milliseconds == 999)
        #expect(time.advanced(by: .seconds(-2)).milliseconds == -1000)
        #expect(time.advanced(by: .zero) == time)
    }

    @Test func measures() {
        let early = Timestamp(milliseconds: 5)
        let late = Timestamp(milliseconds: 12)
        #expect(early.duration(to: late) == .milliseconds(7))
        #expect(late.duration(to: early) == .milliseconds(-7))
        #expect(early < late)
    }

    @Test func stopsAtTheEndsOfTheRange() {
        let last = Timestamp(milliseconds: .max)
        let first = Timestamp(milliseconds: .min)
        #expect(last.advanced(by: .milliseconds(1)) == last)
        #expect(first.advanced(by: .milliseconds(-1)) == first)
        #expect(Timestamp.zero.advanced(by: .seconds(Int64.max)) == last)
        #expect(Timestamp.zero.advanced(by: .seconds(Int64.min)) == first)
        #expect(first.duration(to: last) == .milliseconds(Int64.max))
        #expect(last.duration(to: first) == .milliseconds(Int64.min))
    }

    @Test func durationsInWholeMilliseconds() {
        #expect(Duration.milliseconds(-3).wholeMilliseconds == -3)
        #expect(Duration.microseconds(-3500).wholeMilliseconds == -4)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
    }
}
