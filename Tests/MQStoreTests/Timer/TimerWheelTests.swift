import MQProtocol
import TestSupport
import Testing

@testable import MQStore

@Suite struct TimerWheelTests {
    private func timer(_ due: Int64, _ offset: Int64 = 0) -> TimerWheel.Timer {
        TimerWheel.Timer(due: due, logOffset: LogOffset(rawValue: offset), size: 100)
    }

    private func pop(_ wheel: inout TimerWheel, _ now: Int64, limit: Int = .max) -> [Int64] {
        var due: [TimerWheel.Timer] = []
        wheel.popDue(now: Timestamp(milliseconds: now), limit: limit, into: &due)
        return due.map(\.due)
    }

    @Test func ringsInOrderOfMillisecondsAndNeverEarly() {
        var wheel = TimerWheel()
        let start: Int64 = 1_700_000_000_000
        for due in [start + 3, start + 1, start + 2, start + 2_000_000, start + 86_400_000 * 40] {
            wheel.arm(timer(due))
        }
        #expect(wheel.nextDue() == Timestamp(milliseconds: start + 1))
        #expect(pop(&wheel, start) == [])
        #expect(pop(&wheel, start + 2) == [start + 1, start + 2])
        #expect(pop(&wheel, start + 1_999_999) == [start + 3])
        #expect(pop(&wheel, start + 2_000_000) == [start + 2_000_000])
        #expect(wheel.nextDue() == Timestamp(milliseconds: start + 86_400_000 * 40))
        #expect(pop(&wheel, start + 86_400_000 * 40 - 1) == [])
        #expect(pop(&wheel, .max) == [start + 86_400_000 * 40])
        #expect(wheel.isEmpty)
        #expect(wheel.nextDue() == nil)
    }

    @Test func overdueRingsAtOnceAndLimitLeavesTheRest() {
        var wheel = TimerWheel()
        #expect(pop(&wheel, 1_700_000_000_000) == [])
        for due in [5, 3, 4] as [Int64] { wheel.arm(timer(due)) }
        #expect(pop(&wheel, 1_700_000_000_000, limit: 2) == [3, 4])
        #expect(wheel.count == 1)
        #expect(pop(&wheel, 1_700_000_000_000) == [5])
    }

    @Test func oneMillisecondRingsInLogOrder() {
        var wheel = TimerWheel()
        for offset in [30, 10, 20] as [Int64] { wheel.arm(timer(7, offset)) }
        var due: [TimerWheel.Timer] = []
        wheel.popDue(now: Timestamp(milliseconds: 7), limit: 9, into: &due)
        #expect(due.map(\.logOffset.rawValue) == [10, 20, 30])
    }

    @Test func takesAllBelowAnOffset() {
        var wheel = TimerWheel()
        for number in 0..<10 { wheel.arm(timer(Int64(number) * 1_000_000, Int64(10 - number) * 100)) }
        _ = pop(&wheel, 0)
        let taken = wheel.takeAll(below: LogOffset(rawValue: 500))
        #expect(taken.map(\.logOffset.rawValue) == [100, 200, 300, 400])
        #expect(wheel.count == 5)
        #expect(wheel.nextDue() == Timestamp(milliseconds: 1_000_000))
        #expect(pop(&wheel, .max) == [1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000])
    }

    @Test func agreesWithSortingForRandomTimers() {
        let seed = TestSeed.current
        var random = SeededGenerator(seed: seed)
        var wheel = TimerWheel()
        var expected: [Int64] = []
        var now: Int64 = 1_700_000_000_000
        for round in 0..<200 {
            for _ in 0..<random.next(below: 50) {
                let due = now + Int64(random.next(below: 10_000_000)) - 1000
                wheel.arm(timer(due, Int64(round)))
                expected.append(due)
            }
            now += Int64(random.next(below: 3_000_000))
            expected.sort()
            let due = expected.prefix { $0 <= now }
            #expect(pop(&wheel, now) == Array(due), "seed \(seed)")
            expected.removeFirst(due.count)
            #expect(wheel.nextDue()?.milliseconds == expected.first, "seed \(seed)")
            #expect(wheel.count == expected.count, "seed \(seed)")
        }
    }
}
