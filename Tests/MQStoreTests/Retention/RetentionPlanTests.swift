import MQProtocol
import Testing

@testable import MQStore

@Suite struct RetentionPlanTests {
    private let hour: Int64 = 3_600_000
    private var now: Timestamp { Timestamp(milliseconds: 1_700_000_000_000) }

    /// Segments of 100 bytes, the oldest first, by their age in hours.
    private func segments(_ ages: [Int64]) -> [RetentionPlan.Segment] {
        ages.enumerated().map { index, age in
            RetentionPlan.Segment(
                start: LogOffset(rawValue: Int64(index) * 100),
                end: LogOffset(rawValue: Int64(index + 1) * 100),
                lastWrite: Timestamp(milliseconds: now.milliseconds - age * hour)
            )
        }
    }

    private func run(
        _ plan: inout RetentionPlan,
        _ ages: [Int64],
        hour: Int = 12,
        log: Double? = 0.5,
        queues: Double? = 0.5
    ) -> RetentionPlan.Decision {
        plan.run(
            now: now, localHour: hour, segments: segments(ages), logUsage: log.map { DiskUsage(ratio: $0) },
            queueUsage: queues.map { DiskUsage(ratio: $0) }
        )
    }

    @Test func expiredSegmentsGoOnlyInTheHour() {
        var plan = RetentionPlan(settings: RetentionSettings())
        let ages: [Int64] = [100, 73, 71, 100, 0]
        #expect(run(&plan, ages).deleteBelow == nil)
        let decision = run(&plan, ages, hour: 4)
        #expect(decision.trigger == .time)
        #expect(decision.deleteBelow?.rawValue == 200, "stops at the first that may not go")
        #expect(decision.segments == 2)
        #expect(!decision.isForced)
    }

    @Test func `Forced deletion rests for five minutes when it had to copy most of what it freed`() {
        var plan = RetentionPlan(settings: RetentionSettings())
        func isForced(after seconds: Int64) -> Bool {
            plan.run(
                now: now.advanced(by: .seconds(seconds)), localHour: 12, segments: segments([1, 1, 0]),
                logUsage: DiskUsage(ratio: 0.87), queueUsage: DiskUsage(ratio: 0.5)
            ).isForced
        }
        #expect(isForced(after: 0))
        let restsAfterHalf = plan.noteForced(freed: 100, copied: 50, at: now)
        #expect(!restsAfterHalf && isForced(after: 10))
        let restsAfterMore = plan.noteForced(freed: 100, copied: 51, at: now)
        #expect(restsAfterMore)
        #expect(!isForced(after: 10) && !isForced(after: 299))
        #expect(isForced(after: 300))
        #expect(isForced(after: -3600), "the clock was set back")
    }

    @Test func neverTheLastAndAtMostTen() {
        var plan = RetentionPlan(settings: RetentionSettings())
        #expect(run(&plan, [100, 100], hour: 4).segments == 1)
        #expect(run(&plan, [100], hour: 4).deleteBelow == nil)
        #expect(run(&plan, [], hour: 4).deleteBelow == nil)
        #expect(run(&plan, Array(repeating: 100, count: 30), hour: 4).segments == 10)
    }

    /// New files go to the partition with room: nothing is deleted before its age for the sake of the other one.
    @Test func oneFullPartitionOfSeveralDeletesWhatHasExpired() {
        var plan = RetentionPlan(settings: RetentionSettings())
        func run(_ ages: [Int64], fullest: Double) -> RetentionPlan.Decision {
            plan.run(
                now: now, localHour: 12, segments: segments(ages), logUsage: DiskUsage(ratio: 0.2),
                fullestLogUsage: DiskUsage(ratio: fullest), queueUsage: DiskUsage(ratio: 0.5)
            )
        }
        #expect(run([100, 1, 0], fullest: 0.75).trigger == nil)
        let decision = run([100, 1, 0], fullest: 0.99)
        #expect(decision.trigger == .space && decision.deleteBelow?.rawValue == 100)
        #expect(!decision.isForced && !decision.isFull)
    }

    @Test func spaceDeletesExpiredAtAnyHour() {
        var plan = RetentionPlan(settings: RetentionSettings())
        #expect(run(&plan, [100, 1, 0], log: 0.75).trigger == nil)
        #expect(run(&plan, [100, 1, 0], log: 0.76).deleteBelow?.rawValue == 100)
        #expect(run(&plan, [100, 1, 0], queues: 0.76).deleteBelow?.rawValue == 100)
        #expect(run(&plan, [100, 1, 0], log: nil).trigger == .space)
    }

    @Test func above85PercentUnexpiredSegmentsGoToo() {
        var plan = RetentionPlan(settings: RetentionSettings())
        let decision = run(&plan, [1, 1, 0], log: 0.86)
        #expect(decision.deleteBelow?.rawValue == 200)
        #expect(decision.isForced)
        plan.settings.deletesUnexpired = false
        #expect(run(&plan, [1, 1, 0], log: 0.86).deleteBelow == nil)
        plan.settings.deletesUnexpired = true
        plan.settings.spaceRatio = 0.95
        #expect(run(&plan, [1, 1, 0], log: 0.86).trigger == nil, "forcing does not start a run")
    }

    @Test func aRequestLastsTwentyRuns() {
        var plan = RetentionPlan(settings: RetentionSettings())
        plan.requestDeletion()
        for _ in 0..<20 { #expect(run(&plan, [100, 0]).trigger == .request) }
        #expect(run(&plan, [100, 0]).trigger == nil)
    }

    @Test func fullWithHysteresis() {
        var plan = RetentionPlan(settings: RetentionSettings())
        let usage = [0.89, 0.90, 0.91, 0.90, 0.895, 0.88, 0.90, 0.92]
        let full = usage.map { plan.updateFull(logUsage: DiskUsage(ratio: $0), queueUsage: nil) }
        #expect(full == [false, false, true, true, true, false, false, true])
    }

    /// What a refusal says after this look at the disks; nil when nothing is refused.
    private func refusal(_ plan: inout RetentionPlan, log: Double?, queues: Double?) -> String? {
        let isFull = plan.updateFull(
            logUsage: log.map { DiskUsage(ratio: $0, directory: "/log") },
            queueUsage: queues.map { DiskUsage(ratio: $0, directory: "/store") })
        #expect(isFull == (plan.fullDisk != nil))
        return plan.fullDisk.map { "\($0)" }
    }

    private func text(_ used: String, _ directory: String, until limit: String) -> String {
        "\(used) % of the disk under \(directory) is used, and messages are refused until it is \(limit) % or less"
    }

    @Test func `A refusal names the disk that is used most, its share, and the share at which it ends`() {
        var plan = RetentionPlan(settings: RetentionSettings())
        #expect(refusal(&plan, log: 0.90, queues: 0.90) == nil)
        #expect(plan.decidingUsage == DiskUsage(ratio: 0.90, directory: "/store"))
        #expect(refusal(&plan, log: 0.91, queues: 0.40) == text("91", "/log", until: "89"))
        #expect(refusal(&plan, log: 0.40, queues: 0.95) == text("95", "/store", until: "89"))
        #expect(refusal(&plan, log: 0.95, queues: 0.95) == text("95", "/store", until: "89"), "the store's own")
        #expect(refusal(&plan, log: 0.92, queues: nil) == text("92", "/log", until: "89"))
        #expect(refusal(&plan, log: 0.90, queues: 0.40) == text("90", "/log", until: "89"), "no longer above 90 %")
        #expect(refusal(&plan, log: 0.89, queues: 0.40) == nil)
        #expect(refusal(&plan, log: 0.90, queues: 0.40) == nil)
        #expect(refusal(&plan, log: 0.91, queues: 0.40) == text("91", "/log", until: "89"))
        #expect(refusal(&plan, log: nil, queues: nil) == nil)
        #expect(plan.decidingUsage == nil)
    }

    @Test func `The share at which refusals end is the one that they name, whatever the limit`() {
        for limit in 2...100 {
            var plan = RetentionPlan(settings: RetentionSettings())
            plan.settings.fullRatio = 0.01
            _ = refusal(&plan, log: 1, queues: nil)
            plan.settings.fullRatio = Double(limit) / 100
            let refused = refusal(&plan, log: Double(limit) / 100, queues: nil)
            #expect(refused == text("\(limit)", "/log", until: "\(limit - 1)"))
            #expect(refusal(&plan, log: Double(limit - 1) / 100, queues: nil) == nil)
        }
        var plan = RetentionPlan(settings: RetentionSettings())
        plan.settings.fullRatio = 0.905
        #expect(refusal(&plan, log: 0.91, queues: nil) == text("91", "/log", until: "89.5"))
    }

    @Test func usageIsRoundedUp() {
        #expect(DiskSpace(total: 1000, available: 249, free: 249).usedRatio == 0.76)
        #expect(DiskSpace(total: 1000, available: 150, free: 250).usedRatio == 0.84, "without what is kept for root")
        #expect(DiskSpace(total: 0, available: 0, free: 0).usedRatio == 1)
    }
}
