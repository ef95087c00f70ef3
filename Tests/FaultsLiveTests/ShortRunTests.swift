import Faults
import TestSupport
import Testing

/// Half a minute of what `./run faults` does for long.
@Suite("The fault laboratory, for a short time", .serialized)
struct ShortRunTests {
    @Test("nothing acknowledged is lost or altered", .timeLimit(.minutes(6)))
    func shortRun() async throws {
        var plan = Laboratory.Plan(seed: TestSeed.current, duration: .seconds(20))
        plan.fileFaults = 8
        plan.faultsOfLife = 8
        let report = try await Laboratory(plan) { print($0) }.run()
        print(report.table)
        for reason in report.skipped { print("skipped: \(reason)") }
        let isClean = report.isClean
        #expect(isClean, "\(report.failures.joined(separator: "\n"))")
        print(report.verdict)
    }
}
