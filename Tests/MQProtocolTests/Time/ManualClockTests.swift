import TestSupport
import Testing

@testable import MQProtocol

@Suite struct ManualClockTests {
    private let start = Timestamp(milliseconds: 1_000_000)

    @Test func standsStillUntilMoved() {
        let clock = ManualClock(start: start)
        let time = TimeSource.manual(clock)
        #expect(time.now() == start)
        clock.advance(by: .seconds(90))
        #expect(time.now().milliseconds == 1_090_000)
        clock.set(to: Timestamp(milliseconds: 5))
        #expect(time.now().milliseconds == 5)
    }

    @Test func wakesThoseWhoseTimeHasCome() async throws {
        let clock = ManualClock(start: start)
        let time = TimeSource.manual(clock)
        let short = Task { try await time.sleep(for: .seconds(10)) }
        let long = Task { try await time.sleep(for: .seconds(1800)) }
        await clock.waitForSleepers(count: 2)
        #expect(clock.nextDeadline == start.advanced(by: .seconds(10)))
        clock.advance(by: .milliseconds(9999))
        #expect(clock.sleeperCount == 2)
        clock.advance(by: .milliseconds(1))
        try await short.value
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .seconds(3600))
        try await long.value
        #expect(clock.nextDeadline == nil)
    }

    @Test func keepsSleepersInOrderOfTheirDeadlines() async throws {
        let clock = ManualClock(start: start)
        var random = SeededGenerator()
        let delays = (1...50).map { $0 * 10 }.shuffled(using: &random)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for delay in delays {
                group.addTask {
                    try await TimeSource.manual(clock).sleep(for: .milliseconds(delay))
                    return delay
                }
            }
            await clock.waitForSleepers(count: 50)
            for step in 1...50 {
                #expect(clock.nextDeadline == start.advanced(by: .milliseconds(step * 10)))
                clock.advance(by: .milliseconds(10))
                let woken = try await group.next()
                #expect(woken == step * 10)
            }
        }
    }

    @Test func aPastDeadlineDoesNotWait() async throws {
        let clock = ManualClock(start: start)
        try await TimeSource.manual(clock).sleep(until: start)
        try await TimeSource.manual(clock).sleep(for: .seconds(-1))
        #expect(clock.sleeperCount == 0)
    }

    @Test func cancellationEndsASleep() async {
        let clock = ManualClock(start: start)
        let task = Task { try await TimeSource.manual(clock).sleep(for: .seconds(1)) }
        await clock.waitForSleepers(count: 1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test func aCancelledTaskDoesNotFallAsleep() async {
        let clock = ManualClock(start: start)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask { try await TimeSource.manual(clock).sleep(for: .seconds(1)) }
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
        #expect(clock.sleeperCount == 0)
    }

    @Test func cancellationRacesWithTheClock() async {
        for _ in 0..<300 {
            let clock = ManualClock(start: start)
            let task = Task { try? await TimeSource.manual(clock).sleep(for: .seconds(1)) }
            async let cancelled: Void = task.cancel()
            async let advanced: Void = clock.advance(by: .seconds(1))
            _ = await (cancelled, advanced)
            await task.value
            #expect(clock.sleeperCount == 0)
        }
    }

    @Test func whoWaitsForSleepersCanBeCancelled() async {
        let clock = ManualClock(start: start)
        let watcher = Task { await clock.waitForSleepers(count: 1) }
        watcher.cancel()
        await watcher.value
        await clock.waitForSleepers(count: 0)
    }

    @Test func aClockThatIsSetBackKeepsNobodyLongerAsleep() async throws {
        let clock = ManualClock(start: start)
        let sleeper = Task { try await TimeSource.manual(clock).sleep(until: start.advanced(by: .seconds(30))) }
        await clock.waitForSleepers(count: 1)
        clock.set(to: start.advanced(by: .seconds(-3600)))
        clock.advance(by: .milliseconds(29_999))
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .milliseconds(1))
        #expect(clock.sleeperCount == 0)
        try await sleeper.value
    }

    @Test func theSystemClockRuns() async throws {
        let before = TimeSource.system.now()
        try await TimeSource.system.sleep(until: before.advanced(by: .milliseconds(2)))
        let after = TimeSource.system.now()
        #expect(after >= before.advanced(by: .milliseconds(2)))
        #expect(after.milliseconds > 1_700_000_000_000)
    }
}
