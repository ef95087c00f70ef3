import Foundation
import MQProtocol
import ProcessOutput
import ProcessSupport
import TestSupport

/// What is done to a broker that serves, until it has ended or is about to.
extension Life {
    func inject(_ kind: FaultKind, _ broker: BrokerProcess, _ producers: Producers) async throws {
        let count = Int.random(in: 20...400, using: &generator)
        switch kind {
        case .stop, .flipLog:
            await strike(after: count, producers) { broker.process.terminate() }
        case .power, .powerInRecovery, .powerInTruncation, .diskFullAtStart, .readError:
            let rest = Duration.milliseconds(Int.random(in: 0...20, using: &generator))
            // More may be sent before anyone looks: nothing acknowledged may be gone then.
            losesPower = kind != .diskFullAtStart || setup.flush == .synchronous
            let disk = losesPower ? world.disk : nil
            await strike(after: count, producers) {
                disk?.losePower()
                try? await TimeSource.system.sleep(for: rest)
                broker.process.kill()
            }
            if losesPower { notePowerLoss(lastAcknowledged: journal.lastAcknowledgement) }
        case .powerAtRoll, .powerAtFlush, .powerAtAppend, .powerAtCheckpoint, .powerAtQueue, .powerAtIndex,
            .powerAtTimer, .powerAtOffsets, .powerInRetention:
            try await aim(kind, broker, producers, count)
        case .pause, .diskFull, .writeErrorOnce, .writeErrorForGood, .flushErrorOnce, .flushErrorForGood,
            .flushErrorDropping, .shortWrites, .readOnly, .clockForward, .clockBackward:
            try await endure(kind, broker, producers, count)
        default:
            await strike(after: count, producers) { broker.process.kill() }
        }
    }

    /// Lets the producers run, calls `act` when enough was acknowledged, and returns when nobody gets an answer.
    private func strike(
        after count: Int, _ producers: Producers, _ act: @escaping @Sendable () async -> Void
    ) async {
        journal.resume()
        let journal = journal
        let before = journal.acknowledged
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await journal.reach(count)
                journal.beginDisturbance()
                await act()
            }
            await producers.run()
            journal.end()
        }
        let acknowledged = journal.acknowledged - before
        guard acknowledged < count else { return }
        fail([Violation(.liveness, "\(acknowledged) of \(count) were acknowledged: \(journal.refusals)")])
    }

    /// Power loss at one system call, which comes at the latest when the broker stops, or with luck not at all: then
    /// the power fails behind it.
    private func aim(
        _ kind: FaultKind, _ broker: BrokerProcess, _ producers: Producers, _ count: Int
    ) async throws {
        hasStruck = false
        guard world.preload != nil, let rule = kind.strikeRule(&generator) else { return }
        let control = world.control
        let patience: Duration = kind == .powerInRetention ? .seconds(6) : .seconds(1)
        let shift = Delay.retentionShift
        // Set under way, and set back before the next start.
        if kind == .powerInRetention { noteShift(shift) }
        await strike(after: count, producers) {
            try? control.set([rule])
            if kind == .powerInRetention { try? control.shiftClock(by: shift) }
            await Self.wait(atMost: patience) { broker.process.output.isFinished }
            broker.process.terminate()
            await Self.wait(atMost: .seconds(5)) { broker.process.output.isFinished }
            broker.process.kill()
        }
        hasStruck = try control.fired() > 0
        if !hasStruck { world.disk.losePower() }
        notePowerLoss(lastAcknowledged: journal.lastAcknowledgement)
    }

    /// What another process does is looked for: it tells nobody.
    static func wait(atMost patience: Duration, until condition: () -> Bool) async {
        let deadline = ContinuousClock.now.advanced(by: patience)
        while !condition(), ContinuousClock.now < deadline {
            try? await TimeSource.system.sleep(for: .milliseconds(5))
        }
    }

    /// A fault that the broker should live through: it comes, stays a while and goes under load. Then the power fails,
    /// or each third time only the process is killed, after which nothing may be lost with either flush.
    ///
    /// Every second failure of a disk does not go: what was acknowledged meanwhile must be there all the same.
    private func endure(
        _ kind: FaultKind, _ broker: BrokerProcess, _ producers: Producers, _ count: Int
    ) async throws {
        journal.resume()
        var patient = producers
        patient.patience = .endless
        let load = Task { [patient] in await patient.run() }
        if await !reach(count, within: .seconds(30)) {
            fail([Violation(.liveness, "\(count) acknowledgements took over 30 s: \(journal.refusals)")])
        }
        journal.beginDisturbance()
        let resources = Resources(of: broker.process, store: world.store)
        let stays = kind.isOfDisk && Bool.random(using: &generator)
        try await disturb(kind, broker, stays: stays)
        if !stays { try await goOn(kind, broker, resources) }
        journal.end()
        let last = lastWork
        // Pages that the system has dropped are gone as with the power.
        losesPower = Int.random(in: 0..<3, using: &generator) > 0 || kind == .flushErrorDropping
        if losesPower { world.disk.losePower() }
        broker.process.kill()
        await load.value
        if losesPower { notePowerLoss(lastAcknowledged: last) }
    }

    /// - Parameter before: what the broker held when the fault began.
    private func goOn(_ kind: FaultKind, _ broker: BrokerProcess, _ before: Resources) async throws {
        if await !reach(30, within: .seconds(10)), !kind.mayNeedRestart {
            fail(
                [Violation(.liveness, "no acknowledgement within 10 s of the fault's end: \(journal.refusals)")],
                of: kind)
        }
        fail(Resources(of: broker.process, store: world.store).violations(since: before), of: kind)
    }

    func reach(_ count: Int, within patience: Duration) async -> Bool {
        let before = journal.acknowledged
        let journal = journal
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await journal.reach(count) }
            group.addTask {
                let deadline = ContinuousClock.now.advanced(by: patience)
                while journal.acknowledged < before + count, ContinuousClock.now < deadline, !Task.isCancelled {
                    try? await TimeSource.system.sleep(for: .milliseconds(5))
                }
                if journal.acknowledged < before + count { journal.end() }
            }
            await group.waitForAll()
        }
        return journal.acknowledged >= before + count
    }

    private func disturb(_ kind: FaultKind, _ broker: BrokerProcess, stays: Bool) async throws {
        let stay = stay(of: kind)
        let ballast = try await begin(kind, broker)
        // What is tried is a fault of this length: nothing is waited for.
        try await TimeSource.system.sleep(for: stay)
        ballast?.remove()
        switch kind {
        case .pause:
            // What was to be written when it was stopped is late.
            if stay == Self.longPause { journal.update { $0.forgetConfirmations() } }
            broker.process.resume()
        case .diskFull: break
        case .clockForward, .clockBackward:
            if Bool.random(using: &generator) { try shiftClock(by: .zero) }
        default:
            try await awaitStrike(atMost: .seconds(2))
            if !stays { try world.control.clear() }
        }
    }

    /// Longer than a client waits for an answer.
    private static let longPause = Duration.seconds(5)

    private func stay(of kind: FaultKind) -> Duration {
        if kind == .pause, Int.random(in: 0..<10, using: &generator) == 0 { return Self.longPause }
        // Longer than asynchronous flush may lose: what is acknowledged while nothing can be flushed would show.
        let isLong = setup.flush == .asynchronous && (kind == .flushErrorForGood || kind == .flushErrorDropping)
        return .milliseconds(Int.random(in: isLong ? 1500...2500 : 20...600, using: &generator))
    }

    /// - Returns: what fills the disk.
    private func begin(_ kind: FaultKind, _ broker: BrokerProcess) async throws -> Ballast? {
        switch kind {
        case .pause:
            pausedSince = journal.now
            broker.process.suspend()
        case .diskFull:
            let spare = Int.random(in: 0...128, using: &generator) * 1024
            let ballast = try Ballast(in: world.disk.mountPoint, leaving: spare)
            let before = journal.refusals
            await Self.wait(atMost: .seconds(5)) { journal.refusals != before }
            hasStruck = journal.refusals != before
            return ballast
        case .clockForward: try shiftClock(by: .seconds(3600))
        case .clockBackward: try shiftClock(by: .seconds(-3600))
        default: try world.control.set(kind.disturbance(&generator))
        }
        return nil
    }

    /// Files that are written now and then keep such a fault waiting.
    private func awaitStrike(atMost patience: Duration) async throws {
        let control = world.control
        await Self.wait(atMost: patience) { (try? control.fired()) != 0 }
        hasStruck = try world.control.fired() > 0
    }
}
