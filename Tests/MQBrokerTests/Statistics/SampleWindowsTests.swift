import MQProtocol
import Testing

@testable import MQBroker

@Suite("Counters and rates")
struct SampleWindowsTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    @Test("A rate is the difference of the newest and the oldest sample of its window")
    func minute() {
        var total = SampledTotal()
        for tick in 0..<10 {
            total.sample(time(Int64(tick) * 10))
            total.add(20, calls: 4)
        }
        let minute = total.windows.minute
        #expect(minute.sum == 120)
        #expect(minute.perSecond == 2)
        #expect(minute.perCall == 5)
    }

    @Test("Hours are made of a sample each ten minutes, days of one each hour")
    func longWindows() {
        var total = SampledTotal()
        for tick in 0...720 {
            total.sample(time(Int64(tick) * 10))
            total.add(10)
        }
        #expect(total.windows.hour.sum == 6 * 60 * 10)
        #expect(total.windows.hour.perSecond == 1)
        #expect(total.windows.day.sum == 720 * 10)
    }

    @Test("Without a sample there is no rate; the first one counts from the time before, when there was nothing")
    func tooEarly() {
        var total = SampledTotal()
        total.add(5)
        #expect(total.windows.minute == Rate())
        total.sample(time(10))
        #expect(total.windows.minute == Rate(sum: 5, perSecond: 0.5, perCall: 5))
    }

    @Test("What is not used keeps no samples, what was used keeps them for a day")
    func idle() {
        var total = SampledTotal()
        for tick in 0..<100 { total.sample(time(Int64(tick) * 10)) }
        #expect(total.windows.ticks == 0)
        total.add(7)
        for tick in 100..<8640 { total.sample(time(Int64(tick) * 10)) }
        #expect(total.windows.day.sum == 7)
        for tick in 8640..<10_000 { total.sample(time(Int64(tick) * 10)) }
        #expect(total.windows.ticks == 0)
        #expect(total.windows.day == Rate())
        total.add(3)
        total.sample(time(100_000))
        #expect(total.windows.minute.sum == 3)
    }

    @Test("Ten, sixty and six hundred seconds; what is too young is empty, and its separators stay")
    func history() {
        var history = StoreHistory()
        #expect(history.rates(\.stored) == "  ")
        var totals = StoreTotals()
        for tick in 0..<7 {
            history.add(totals, at: time(Int64(tick) * 10))
            totals.stored += 50
        }
        #expect(history.rates(\.stored) == "5.0 5.0 ")
    }

    @Test("At midnight today becomes yesterday")
    func midnight() {
        var days = DailyTotals()
        var totals = StoreTotals()
        totals.stored = 7
        days.observe(totals, at: time(86_000))
        #expect(days.todayMorning.stored == 0)
        days.observe(totals, at: time(86_400))
        #expect(days.todayMorning.stored == 7)
        totals.stored = 9
        days.observe(totals, at: time(2 * 86_400))
        #expect(days.yesterdayMorning.stored == 7)
        #expect(days.todayMorning.stored == 9)
    }

    @Test("Append times fall into RocketMQ's classes")
    func classes() {
        var times = AppendTimes()
        times.add(.microseconds(300), messages: 3)
        times.add(.milliseconds(7), messages: 1)
        times.add(.seconds(20), messages: 1)
        #expect(times.distribution.hasPrefix("[<=0ms]:3 [0~10ms]:1 "))
        #expect(times.distribution.hasSuffix("[10s~]:1 "))
        #expect(times.longest == .seconds(20))
        #expect(times.milliseconds(share: 0.5) == 0.512)
    }

    @Test("Queues are counted one by one, but not by any number from the wire")
    func queues() {
        let statistics = TopicStatistics()
        statistics.stored(queueID: 2, messages: 3, bytes: 300)
        statistics.stored(queueID: .max, messages: 1, bytes: 10)
        statistics.sample(time(0))
        statistics.stored(queueID: 2, messages: 1, bytes: 100)
        statistics.sample(time(10))
        #expect(statistics.windows(of: .messages)?.minute.sum == 5)
        #expect(statistics.windows(of: .bytes, queueID: 2)?.minute.sum == 400)
        #expect(statistics.windows(of: .messages, queueID: 0) == nil)
        #expect(statistics.windows(of: .messages, queueID: .max) == nil)
    }

    @Test(
        "Names and keys of request 315",
        arguments: [
            ("TOPIC_PUT_NUMS", "T", CounterName.stored(topic: "T", .messages, queueID: nil)),
            ("QUEUE_PUT_SIZE", "T@3", .stored(topic: "T", .bytes, queueID: 3)),
            ("GROUP_GET_NUMS", "T@G", .got(topic: "T", group: "G", .messages, queueID: nil)),
            ("QUEUE_GET_NUMS", "T@3@G", .got(topic: "T", group: "G", .messages, queueID: 3)),
            ("GROUP_GET_LATENCY", "3@T@G", .latency(topic: "T", group: "G")),
            ("SNDBCK_PUT_NUMS", "T@G", .sentBack(topic: "T", group: "G")),
            ("BROKER_PUT_NUMS", "C", .brokerStored(cluster: "C")),
        ])
    func counterNames(name: String, key: String, expected: CounterName) {
        #expect(CounterName(name: name, key: key) == expected)
    }

    @Test(
        "Other names and keys are none",
        arguments: [
            ("TOPIC_PUT_NUMS", "T@1"), ("QUEUE_PUT_NUMS", "T@x"), ("GROUP_GET_FALL_SIZE", "1@T@G"), ("", ""),
        ])
    func noCounter(name: String, key: String) {
        #expect(CounterName(name: name, key: key) == nil)
    }
}
