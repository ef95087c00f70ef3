import Testing

/// The store on simulated disks that lose power, fail, fill up and rot, against a model of what may be lost.
///
/// A short run, without optimization; `./run test` runs a million operations of the same with it.
@Suite struct SimulationTests {
    @Test(.timeLimit(.minutes(60)))
    func `Nothing acknowledged is lost, altered or served corrupt, whatever the disk does`() async throws {
        let run = SimulationRun(SimulationSettings(operations: 20_000))
        let violation = try await run.result()
        print(run.summary)
        guard PlantedBug.isExpected(violation) else {
            Issue.record("\(violation.map { "\($0)" } ?? "the bug that this build has is not found")")
            return
        }
    }
}
