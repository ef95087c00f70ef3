import ArgumentParser
import Faults
import Foundation

/// Breaks brokers and their disks in every way there is, and checks that nothing acknowledged is lost.
@main
struct FaultTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escrow-faults",
        abstract: "The fault laboratory: real brokers on disks that fail.",
        discussion: "Exit codes: 0 nothing was violated; 1 something was; 2 wrong use. Needs root for most of it."
    )

    @Option(help: ArgumentHelp("How long to go on.", valueName: "n"))
    var minutes: Double = 5

    @Option(help: ArgumentHelp("Repeats a run. Default: another one each time.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Only this life of the run.", valueName: "n"))
    var life: Int?

    @Option(help: ArgumentHelp("Only faults whose name contains this.", valueName: "text"))
    var only: String?

    @Option(
        help: ArgumentHelp("Damaged copies of a store, of each kind. Default: 40, and 7 a minute.", valueName: "n"))
    var files: Int?

    @Flag(help: "Half a minute, as in ./run test.")
    var short = false

    @Option(help: ArgumentHelp("This build is broken on purpose: succeeds when that is found.", valueName: "name"))
    var control: String?

    @Option(help: ArgumentHelp("Where mqbroker was built. Default: beside this program.", valueName: "directory"))
    var programs: String?

    func validate() throws {
        guard let control, Control(rawValue: control) == nil else { return }
        let known = Control.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("There is no control \(control); there are \(known).")
    }

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 1...0xFFFF_FFFF)
        say("seed \(seed)")
        let report = try await Laboratory(plan(seed), say: say).run()
        say("\n" + report.table + "\n")
        report.skipped.forEach { say("skipped: " + $0) }
        if let control = control.flatMap(Control.init) {
            let isFound = control.isFound(in: report)
            // What was skipped has said so.
            guard isFound || !report.isInconclusive else { return }
            say("\(isFound ? "caught" : "NOT CAUGHT"): \(control.rawValue)")
            if !isFound { throw ExitCode(1) }
            return
        }
        report.failures.forEach { say($0) }
        say(report.verdict)
        if !report.isClean { throw ExitCode(1) }
    }

    private func plan(_ seed: UInt64) -> Laboratory.Plan {
        var plan = Laboratory.Plan(seed: seed, duration: .seconds(short ? 20 : minutes * 60))
        plan.onlyLife = life
        // Brokers are started from elsewhere.
        plan.programs = programs.map { URL(fileURLWithPath: $0).path }
        plan.fileFaults = short ? 8 : files ?? 40 + Int(minutes * 7)
        plan.only = only
        plan.control = control.flatMap(Control.init)
        return plan
    }
}

@Sendable private func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
