import Foundation
import Synchronization
import TestSupport

/// Runs lives and batches until the time is up, and adds up what they found.
package struct Laboratory: Sendable {
    package struct Plan: Sendable {
        package var seed: UInt64
        /// How long new lives are begun.
        package var duration: Duration
        /// Brokers at the same time, each on a disk of its own: most of a life is waiting.
        package var worlds = 3
        /// Faults of one life.
        package var faultsOfLife = 12
        /// Damaged copies of each kind and store; tears come at every byte of the last three records.
        package var fileFaults = 40
        /// Repeats one life only.
        package var onlyLife: Int?
        /// The kinds to choose from: those whose name contains this, or those of the control. Nil: all.
        package var only: String?
        /// Ends as soon as this is found.
        package var control: Control?
        /// Where `mqbroker` was built. Nil: beside this program.
        package var programs: String?

        package init(seed: UInt64, duration: Duration) {
            self.seed = seed
            self.duration = duration
        }

        /// Empty: all.
        var kinds: [FaultKind] {
            control?.kinds ?? only.map { only in FaultKind.allCases.filter { $0.rawValue.contains(only) } } ?? []
        }
    }

    private let plan: Plan
    private let say: @Sendable (String) -> Void

    /// - Parameter say: takes a line of progress.
    package init(_ plan: Plan, say: @escaping @Sendable (String) -> Void) {
        self.plan = plan
        self.say = say
    }

    package func run() async throws -> Report {
        var report = plan.onlyLife == nil ? files() : Report()
        if !plan.kinds.isEmpty, plan.kinds.allSatisfy(\.isOfFiles) { return report }
        if let control = plan.control, control.isFound(in: report) { return report }
        if let obstacle = await LoopFileSystem.obstacle(in: World.parentDirectory) {
            report.skip("no broker was tried, and no loss of power: \(obstacle)")
            report.isInconclusive = !(plan.control?.kinds.contains(where: \.isOfFiles) ?? false)
            return report
        }
        let deadline = ContinuousClock.now.advanced(by: plan.duration)
        let turns = Turns(next: plan.onlyLife ?? 0)
        try await withThrowingTaskGroup(of: Report.self) { group in
            for _ in 0..<(plan.onlyLife == nil ? plan.worlds : 1) {
                group.addTask { try await lives(turns, until: deadline) }
            }
            for try await part in group { report.merge(part) }
        }
        return report
    }

    /// Lives on one disk, one after the other.
    private func lives(_ turns: Turns, until deadline: ContinuousClock.Instant) async throws -> Report {
        try await World.with(programs: plan.programs) { world in
            var report = Report()
            if world.preload == nil { report.skip("no system call was made to fail: there is no C compiler") }
            repeat {
                try Task.checkCancellation()
                report.merge(try await live(turns.take(), in: world))
                if let control = plan.control, control.isFound(in: report) { turns.end() }
            } while plan.onlyLife == nil && !turns.isOver && ContinuousClock.now < deadline
            return report
        }
    }

    private func files() -> Report {
        let kinds = FaultKind.ofFiles.filter { plan.kinds.isEmpty || plan.kinds.contains($0) }
        guard plan.fileFaults > 0, !kinds.isEmpty else { return Report() }
        let directory = World.parentDirectory + "/escrow-files-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let phase = FilePhase(
            seed: plan.seed, directory: directory, kinds: kinds, faultsOfKind: plan.fileFaults,
            tearsEverywhere: plan.fileFaults >= 40)
        let report = phase.run(command: "./run faults --minutes 0 --files \(plan.fileFaults) --seed \(plan.seed)")
        say("files: \(report.faultCount) faults" + (report.isClean ? "" : ", \(report.violationCount) VIOLATIONS"))
        for failure in report.failures.prefix(5) { say("  " + failure) }
        return report
    }

    /// - Throws: what is wrong with the laboratory itself: no life after this one would say anything about brokers.
    private func live(_ number: Int, in world: World) async throws -> Report {
        let kinds = plan.kinds.filter { !$0.isOfFiles }
        let schedule = Schedule(seed: plan.seed, life: number, faults: plan.faultsOfLife, kinds: kinds)
        let filter = plan.only.map { " --only \"\($0)\"" } ?? ""
        let command = "./run faults --seed \(plan.seed) --life \(number)\(filter)"
        let life = Life(world: world, setup: schedule.setup, seed: schedule.seed, command: command)
        do {
            try await life.run(schedule.kinds)
        } catch let error as FaultError {
            throw FaultError("life \(number): \(error)")
        } catch let violation as Violation {
            await life.fail([violation])
        } catch {
            try Task.checkCancellation()
            await life.fail([Violation(.liveness, "the life ended early: \(error)")])
        }
        let setup = schedule.setup
        let report = await life.report
        say(
            "life \(number): \(setup.flush.rawValue)\(setup.hasRecordChecksum ? ", record CRC" : "")"
                + "\(setup.retainsUnconsumed ? ", retaining" : ""), "
                + "\(report.faultCount) faults, \(report.acknowledged) acknowledged"
                + (report.isClean ? "" : ", \(report.violationCount) VIOLATIONS"))
        for failure in report.failures { say("  " + failure) }
        return report
    }
}

/// Whose life is next, for worlds that run at the same time.
private final class Turns: Sendable {
    private struct State {
        var next: Int
        var isOver = false
    }

    private let state: Mutex<State>

    init(next: Int) {
        state = Mutex(State(next: next))
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    func take() -> Int {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    func end() { state.withLock { $0.isOver = true } }
}
