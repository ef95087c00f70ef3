import TestSupport
import Testing

@testable import Faults

@Suite("The laboratory's schedule")
struct ScheduleTests {
    @Test("follows from seed and life, and differs between lives")
    func repeats() {
        let one = Schedule(seed: 5, life: 3, faults: 12, kinds: [])
        let again = Schedule(seed: 5, life: 3, faults: 12, kinds: [])
        let other = Schedule(seed: 5, life: 4, faults: 12, kinds: [])
        #expect(one.kinds == again.kinds)
        #expect(one.seed == again.seed)
        #expect(one.kinds != other.kinds)
    }

    @Test("loses power in half of the faults at least, and reaches every kind that is done to a broker")
    func isMixed() {
        var kinds: Set<FaultKind> = []
        var power = 0
        for life in 0..<200 {
            let schedule = Schedule(seed: 1, life: life, faults: 12, kinds: [])
            kinds.formUnion(schedule.kinds)
            power += schedule.kinds.count(where: \.losesPower)
        }
        #expect(kinds == Set(FaultKind.allCases.filter { !$0.isOfFiles }))
        #expect(power >= 200 * 6)
    }

    @Test("the report adds up, says what repeats a failure, and ends with its verdict")
    func report() {
        var report = Report()
        report.count(row(.kill)) { $0.injected = 2 }
        report.count(row(.power)) { tally in
            tally.injected = 3
            tally.powerLosses = 3
        }
        #expect(report.verdict.hasPrefix("passed: 5 faults, 3 power losses"))
        report.fail(
            [Violation(.lost, "one"), Violation(.order, "two")], of: row(.power), repeatedBy: "again")
        #expect(report.verdict.hasPrefix("FAILED: 5 faults"))
        #expect(report.failures.last?.contains("again") == true)
        report.count(Report.Row(kind: .flipBody, hasRecordChecksum: false)) { $0.injected = 1 }
        report.count(Report.Row(kind: .power, hasRecordChecksum: true, flush: .asynchronous)) { $0.injected = 1 }
        #expect(report.table.contains("| bit flip in a body, without | 1 |"))
        var sum = Report()
        sum.merge(report)
        sum.merge(report)
        #expect(sum.tallies[row(.power)]?.lost == 2)
        #expect(sum.tallies[row(.power)]?.order == 2)
        #expect(!sum.isClean)
        let name = "power loss at a random moment"
        #expect(sum.table.contains("| \(name), SYNC_FLUSH, with record CRC | 6 | 0 | 0 | 0 | 2 | 0 | 2 |"))
        #expect(sum.table.contains("| \(name), ASYNC_FLUSH, with record CRC | 2 | 0 | 0 | 0 | 0 | 0 | 0 |"))
        #expect(sum.table.contains("| all on brokers, SYNC_FLUSH | 10 |"))
        #expect(sum.table.contains("| all on copies of files | 2 |"))
    }

    @Test("a report that skipped something says so in its verdict, once")
    func reservation() {
        var report = Report()
        report.count(Report.Row(kind: .flipBody, hasRecordChecksum: false)) { $0.injected = 1 }
        report.skip("no broker was tried: a reason")
        var sum = report
        sum.merge(report)
        #expect(sum.skipped == ["no broker was tried: a reason"])
        #expect(sum.verdict.hasPrefix("passed, but no broker was tried: a reason; 2 faults"))
        sum.fail([Violation(.lost, "one")], of: row(.power), repeatedBy: "again")
        #expect(sum.verdict.hasPrefix("FAILED, and no broker was tried: a reason; 2 faults"))
    }

    private func row(_ kind: FaultKind) -> Report.Row {
        Report.Row(kind: kind, hasRecordChecksum: true, flush: .synchronous)
    }
}
