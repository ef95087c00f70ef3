import Foundation
import MQClient
import MQProtocol
import ProcessSupport
import TestSupport

/// One store, from its first message to its last check: sessions of a broker under load, each ended by a fault.
///
/// Every session begins by reading back everything and comparing it with the history: that is what the fault before it
/// is measured by.
actor Life {
    let world: World
    let setup: Setup
    let seed: UInt64
    let journal = Journal()
    var generator: SeededGenerator
    var report = Report()
    /// The fault whose consequences the next check finds.
    private var lastKind = FaultKind.stop
    /// With the fault that is on.
    private var powerLosses = 0
    private var session = 0
    /// What the faults so far excuse.
    var expectations = Expectations()
    /// Of the broker's clock against this process's.
    var clockShift = Duration.zero
    /// All that were not zero so far.
    var clockShifts: Set<Duration> = []
    var sessionStart = TimeSource.system.now()
    /// Whether the fault of this session came to pass: one that waits for a certain system call may wait in vain.
    var hasStruck = true
    /// Whether the session ended with a loss of power.
    var losesPower = true
    /// The second member of the groups, in some sessions.
    var secondMember: Task<Void, Never>?
    /// The queues on which the broker has had an offset of a group.
    var known: [ConsumerGroup: Set<QueueName>] = [:]
    /// What the next broker is to say that it cannot read.
    var owedReports: [OwedReport] = []
    /// When the broker was stopped in this session, by the journal's clock. Nil: never.
    var pausedSince: Int64?
    private let command: String

    init(world: World, setup: Setup, seed: UInt64, command: String) {
        self.world = world
        self.setup = setup
        self.seed = seed
        self.command = command
        generator = SeededGenerator(seed: seed)
    }

    /// - Throws: what made the life end early; violations found before that are in ``report``.
    func run(_ kinds: [FaultKind]) async throws {
        try await world.reset()
        let journal = journal
        try await MQClient.with(try world.clientConfiguration()) { client in
            try await prepare(client)
            let transactions = try TransactionProducer(client, group: "FaultTransactions") { check in
                guard let number = Payload.number(in: check.message.body) else { return .unknown }
                return journal.answerCheck(number) == .commit ? .commit : .rollback
            }
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await client.run() }
                tasks.addTask { try await transactions.run() }
                tasks.addTask { try await Consumers(client: client, journal: journal).run() }
                defer { tasks.cancelAll() }
                for kind in kinds { try await cycle(kind, client, transactions) }
                await endSecondMember()
                try await end(client)
            }
        }
    }

    /// What is created before the first fault, everything that follows is checked for.
    private func prepare(_ client: MQClient) async throws {
        _ = try await BrokerProcess.run(world.options(setup)) { [world] _ in
            try await Topics.create(client, at: world.address)
        }
    }

    private func cycle(_ kind: FaultKind, _ client: MQClient, _ transactions: TransactionProducer) async throws {
        session += 1
        hasStruck = true
        losesPower = true
        pausedSince = nil
        sessionStart = TimeSource.system.now()
        let producers = Producers(
            client: client, transactions: transactions, journal: journal, round: session,
            seed: seed &+ UInt64(session))
        let started = ContinuousClock.now
        let before = journal.acknowledged
        let ended = try await BrokerProcess.run(world.options(setup)) { [self] broker in
            await noteRecovery(since: started)
            journal.endDisturbance()
            try await check(client, broker)
            await changeMembers()
            try await inject(kind, broker, producers)
        }
        checkExit(kind, ended.exit)
        try await settle(kind, producers)
        noteDeath(kind)
        lastKind = kind
        let acknowledged = journal.acknowledged - before
        let (hasStruck, powerLosses) = (hasStruck, powerLosses)
        self.powerLosses = 0
        count(kind) { tally in
            if hasStruck { tally.injected += 1 } else { tally.missed += 1 }
            tally.powerLosses += powerLosses
            tally.acknowledged += acknowledged
        }
    }

    private func noteRecovery(since start: ContinuousClock.Instant) {
        let milliseconds = Double(start.duration(to: .now).wholeMilliseconds)
        count(lastKind) { $0.recoveries.append(milliseconds) }
        if milliseconds > Self.maximumRecovery {
            fail([Violation(.recovery, "the broker served after \(Int(milliseconds)) ms")])
        }
    }

    /// Milliseconds. A log of at most a hundred segments of 256 KiB is read again in a fraction of a second; the rest
    /// is for a debug build that shares two processors with two other worlds.
    private static let maximumRecovery = 15_000.0

    // MARK: Checks

    private func check(_ client: MQClient, _ broker: BrokerProcess) async throws {
        // RocketMQ's list of topics has no checksum: a flip that leaves it readable is for a person to notice.
        if lastKind == .flipTopics { try await Topics.create(client, at: world.address) }
        let given = journal.deliveries
        let contents = try await ReadBack(client: client).all()
        fail(await damageViolations(broker))
        let offsets = try await groupOffsets(client)
        let history = journal.history
        if lastKind.leavesOldFiles { journal.update { $0.forgetConfirmations() } }
        let result = Checker.check(history, contents, expectations)
        count(lastKind) { tally in
            tally.lostInWindow += result.lostInWindow.count
            tally.compared += history.acknowledgedCount
        }
        fail(result.violations + (try await consumerOffsetViolations(client, contents)))
        journal.update { $0.settle(result) }
        fail(groupViolations(offsets, given: given, contents, result))
        fail(journal.takeDeliveryViolations() + checkBackViolations())
        if clockShift == .zero { expectations.endExpiry(with: contents, at: journal.now) }
    }

    private func consumerOffsetViolations(_ client: MQClient, _ contents: Contents) async throws -> [Violation] {
        let history = journal.history
        var offsets: [QueueName: Int64] = [:]
        for queue in history.consumed.keys {
            offsets[queue] = try await client.consumerOffset(of: queue.queue, group: Producers.consumerGroup)
        }
        journal.update { $0.restartConfirmations(with: offsets) }
        return OffsetCheck(history: history, contents: contents).violations(offsets)
    }

    /// With asynchronous flush the power may have taken the verdict.
    private func checkBackViolations() -> [Violation] {
        journal.takeCheckViolations(excusing: expectations.lossWindows)
    }

    func fail(_ violations: [Violation], of kind: FaultKind? = nil) {
        report.fail(violations, of: row(kind ?? lastKind), repeatedBy: command)
    }

    private func count(_ kind: FaultKind, _ change: (inout Tally) -> Void) {
        report.count(row(kind), change)
    }

    private func row(_ kind: FaultKind) -> Report.Row {
        Report.Row(kind: kind, hasRecordChecksum: setup.hasRecordChecksum, flush: setup.flush)
    }

    /// Lets everything that is due or decided arrive, compares, and compares again after another start. Long delays end
    /// last: their clock lets everything expire.
    private func end(_ client: MQClient) async throws {
        session += 1
        try shiftClock(by: .zero)
        let before = try await BrokerProcess.run(world.options(setup)) { [self] broker in
            journal.endDisturbance()
            try await check(client, broker)
            return try await settledContents(client)
        }
        let after = try await BrokerProcess.run(world.options(setup)) { [self] _ in
            let contents = try await ReadBack(client: client).all()
            let violations = try await longDelayViolations(client, behind: contents)
            await fail(violations)
            return contents
        }
        for exit in [before.exit, after.exit] where exit != .code(0) {
            fail([Violation(.liveness, "SIGTERM ended with \(exit)")])
        }
        for queue in Topics.queues where !Self.isSame(before.value[queue], after.value[queue]) {
            fail([Violation(.recovery, "\(queue) differs after a clean restart")])
        }
    }

    private static func isSame(_ one: QueueContents?, _ other: QueueContents?) -> Bool {
        one?.maximum == other?.maximum && one?.minimum == other?.minimum
            && one?.messages.map(\.body) == other?.messages.map(\.body)
    }

    /// At most a minute: a transaction is asked about after a second, and again later each time, also when its producer
    /// was away; delays are shorter than two, or end later than this.
    private func settledContents(_ client: MQClient) async throws -> Contents {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        var expectations = expectations
        expectations.isSettled = true
        var before: [QueueName: Int64] = [:]
        // A check-back of a half whose verdict the power took comes after a second, and brings its message once more.
        var quietRounds = 0
        while true {
            let contents = try await ReadBack(client: client).all()
            let result = Checker.check(journal.history, contents, expectations)
            let violations = result.violations + (try await settledGroupViolations(client, contents, result))
            fail(journal.takeDeliveryViolations() + checkBackViolations())
            let ends = contents.mapValues(\.maximum)
            quietRounds = violations.isEmpty && ends == before ? quietRounds + 1 : 0
            if quietRounds >= Self.quietRounds || ContinuousClock.now > deadline {
                for (kind, copies) in result.duplicatesInWindow { count(kind) { $0.duplicated += copies } }
                fail(violations + (try await indexViolations(client, contents)))
                return contents
            }
            before = ends
            try await TimeSource.system.sleep(for: .milliseconds(200))
        }
    }

    private static let quietRounds = 12

    // MARK: For the kinds of faults

    /// The last moment from which on the broker had time for everything that it does within a window.
    var lastWork: Int64 { min(journal.lastAcknowledgement, pausedSince ?? .max) }

    /// With asynchronous flush the power took what was acknowledged last.
    func notePowerLoss(lastAcknowledged: Int64) {
        powerLosses += 1
        guard setup.flush == .asynchronous else { return }
        expectations.lossWindows.append((lastAcknowledged - Setup.flushWindow)...journal.now)
    }
}
