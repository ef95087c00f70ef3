@testable import MQClient
import MQProtocol
import Testing

@Suite struct LockTableTests {
    private func queue(_ id: Int32, _ broker: String = "a") -> MessageQueue {
        MessageQueue(topic: "T", brokerName: broker, queueID: id)
    }

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    @Test("A lock is believed in for 30 s from when it was asked for")
    func validity() {
        var table = LockTable()
        table.acquire([queue(0)], at: at(100))
        #expect(table.isValid(queue(0), now: at(129)))
        #expect(!table.isValid(queue(0), now: at(130)))
        #expect(!table.isValid(queue(1), now: at(100)))
        _ = table.refresh([queue(0)], granted: [queue(0)], at: at(120))
        #expect(table.isValid(queue(0), now: at(149)))
        #expect(table.expire(now: at(149)) == [])
        #expect(table.expire(now: at(150)) == [queue(0)])
        #expect(table.queues.isEmpty)
    }

    @Test("A lock that is not granted again is lost; one that was given up meanwhile is not kept")
    func refreshed() {
        var table = LockTable()
        table.acquire([queue(0), queue(1), queue(2), queue(0, "b")], at: at(1))
        #expect(table.queues == [queue(0), queue(1), queue(2), queue(0, "b")])
        table.forget(queue(2))
        let (lost, stray) = table.refresh(
            [queue(0), queue(1), queue(2)], granted: [queue(1), queue(2)], at: at(2))
        #expect(lost == [queue(0)])
        #expect(stray == [queue(2)])
        #expect(table.queues == [queue(1), queue(0, "b")])
    }
}

@Suite struct RebalancePlanTests {
    private func queues(_ ids: Int32...) -> [MessageQueue] {
        ids.map { MessageQueue(topic: "T", brokerName: "a", queueID: $0) }
    }

    private func plan(_ held: [Int32: RebalancePlan.Status], _ share: [MessageQueue]) -> RebalancePlan {
        let held = held.map { (MessageQueue(topic: "T", brokerName: "a", queueID: $0.key), $0.value) }
        return RebalancePlan(held: Dictionary(uniqueKeysWithValues: held), share: share)
    }

    @Test("What is not in the share is given up, what is new is taken, the rest stays")
    func changes() {
        let plan = plan([0: .pulling, 1: .pulling], queues(1, 2))
        #expect(plan.give == queues(0))
        #expect(plan.take == queues(2))
        #expect(plan.later.isEmpty)
        #expect(self.plan([1: .pulling], queues(1)) == self.plan([:], []))
    }

    @Test("A stalled queue is given up and taken once it is gone; an ending one is waited for")
    func waiting() {
        let stalled = plan([0: .stalled], queues(0))
        #expect(stalled.give == queues(0) && stalled.take.isEmpty && stalled.later == queues(0))
        let ending = plan([0: .ending, 1: .ending], queues(0))
        #expect(ending.give.isEmpty && ending.take.isEmpty && ending.later == queues(0))
    }
}

@Suite struct StartOffsetTests {
    private static let time = Timestamp(milliseconds: 77)

    @Test(
        "A stored offset decides; without one the setting; a retry topic is read from its first message",
        arguments: [
            (ConsumeStart.lastOffset, 5, false, StartOffset.at(5)),
            (.firstOffset, 0, false, .at(0)),
            (.lastOffset, nil, false, .maximum),
            (.lastOffset, -1, false, .maximum),
            (.firstOffset, nil, false, .minimum),
            (.timestamp(time), nil, false, .search(time)),
            (.lastOffset, nil, true, .minimum),
            (.timestamp(time), nil, true, .minimum),
            (.timestamp(time), 9, true, .at(9)),
        ] as [(ConsumeStart, Int64?, Bool, StartOffset)])
    func decisions(start: ConsumeStart, stored: Int64?, isRetry: Bool, expected: StartOffset) {
        #expect(StartOffset(start, stored: stored, isRetry: isRetry) == expected)
    }

    @Test(
        "Past the end means the end, never the beginning; before the beginning means the beginning",
        arguments: [
            (100, 0, 40, 0, OffsetCorrection.Reason.pastEnd, 40),
            (100, 0, 40, 40, .pastEnd, 40),
            (100, 0, 0, 0, .pastEnd, 0),
            (3, 10, 40, 10, .beforeStart, 10),
            (20, 10, 40, 5, .unexplained, 20),
            (20, 10, 40, 33, .unexplained, 33),
            (20, -1, -1, 0, .unexplained, 20),
        ] as [(Int64, Int64, Int64, Int64, OffsetCorrection.Reason, Int64)])
    func corrections(
        asked: Int64, minimum: Int64, maximum: Int64, suggested: Int64, reason: OffsetCorrection.Reason, offset: Int64
    ) {
        let correction = OffsetCorrection(asked: asked, minimum: minimum, maximum: maximum, suggested: suggested)
        #expect(correction.reason == reason)
        #expect(correction.offset == offset)
    }
}

@Suite struct SmallTableTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    @Test("Sleepers are woken when their time has come, in its order")
    func wakeTimes() {
        var times = WakeTimes<String>()
        times.add("late", at: at(9))
        times.add("early", at: at(3))
        times.add("also early", at: at(3))
        #expect(times.next == at(3))
        #expect(times.takeDue(now: at(2)).isEmpty)
        #expect(times.takeDue(now: at(3)) == ["early", "also early"])
        #expect(times.next == at(9))
    }

    @Test("Rates are those of the last minute, failed messages those of the last hour")
    func rates() throws {
        var table = RateTable(now: at(0))
        table.handled("T", consumed: 600, failed: 60, after: .milliseconds(500))
        for time in stride(from: Int64(10), through: 600, by: 10) { table.sample(now: at(time)) }
        table.pulled("T", messages: 120, after: .milliseconds(30))
        table.handled("T", consumed: 120, failed: 6, after: .milliseconds(40))
        table.handled("T", consumed: 120, failed: 0, after: .milliseconds(20))
        let rates = try #require(table.rates(now: at(600))["T"])
        #expect(
            rates
                == RateTable.Rates(
                    pulledPerSecond: 2, pullTime: 30, consumedPerSecond: 4, failedPerSecond: 0.1, handlingTime: 30,
                    failedMessages: 66))
        for time in stride(from: Int64(610), through: 4300, by: 10) { table.sample(now: at(time)) }
        #expect(table.rates(now: at(4300))["T"]?.failedMessages == 0)
    }

    @Test(
        "Tags are compared as texts",
        arguments: [
            ("*", nil, true), ("", "x", true), ("a || b", "a", true), ("a||b", "b", true), ("a || b", "c", false),
            ("a", nil, false), ("Aa", "BB", false),
        ] as [(String, String?, Bool)])
    func tags(expression: String, tag: String?, isAdmitted: Bool) {
        #expect(TagSelection(expression).admits(tag) == isAdmitted)
    }

    @Test("A pull goes to the address suggested, to the next slave, to any")
    func pullTargets() {
        let broker = TopicRoute.Broker(cluster: "C", name: "a", addresses: [0: "m", 2: "s"])
        #expect(broker.pullTarget(0)?.address == "m")
        #expect(broker.pullTarget(0)?.isMaster == true)
        #expect(broker.pullTarget(2)?.address == "s")
        #expect(broker.pullTarget(1)?.address == "s")
        #expect(broker.pullTarget(7)?.address == "m")
        #expect(TopicRoute.Broker(cluster: "C", name: "a", addresses: [:]).pullTarget(0) == nil)
    }
}
