import Foundation

// The simulation as a program, which is built with optimization: see `./run test`. Exits with 1 when a promise is
// broken, or, in a build that is broken on purpose, when that is not found.

let run = SimulationRun(SimulationSettings(operations: 1_000_000))
let violation = try await run.result()
if let violation { print(violation) }
print(run.summary)
if !PlantedBug.isExpected(violation) {
    if violation == nil { print("the bug that this build has is not found") }
    exit(1)
}
