import Escrow
import GRDB
import Logging
import MQProtocol
import ServiceLifecycle
import Synchronization

/// Performs planned effects after the commit that planned them, outside the database's writer.
///
/// A row says `attempted`, and by whom, before its effect may happen, and how it ended afterwards. A process that dies
/// in between leaves it attempted: another one applies the policy of its kind. What a live one performs is left alone.
struct EffectRunner: Service {
    let database: any DatabaseWriter
    let performers: [Effect.Kind: EffectPerformer]
    let policies: [Effect.Kind: EffectPolicy]
    let time: TimeSource
    let logger: Logger
    /// Rung when something may be planned.
    let alarm: Alarm
    /// Written into the rows that this one attempts.
    let holder = Holder.inThisProcess()

    /// Those that run in this process.
    private static let running = Mutex<Set<String>>([])

    /// Rows taken together: one commit before and one after them.
    private static let batch = 16
    /// Attempts after which an effect that may happen once at most, and has not, is left to a person.
    private static let attemptLimit = 10
    /// Pauses double from a second to a minute.
    private static let doublings = 6
    private static let pollInterval = Duration.seconds(1)
    /// No attempt takes so long: its holder is gone, even where that cannot be told otherwise. A batch of commands has
    /// 16 minutes.
    static let longestAttempt = Duration.seconds(3600)

    func run() async throws {
        Self.running.withLock { _ = $0.insert(holder.text) }
        defer { Self.running.withLock { _ = $0.remove(holder.text) } }
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await recover()
                while try await performBatch() {}
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("effects cannot be recorded now", metadata: ["error": "\(error)"])
            }
            await cancelWhenGracefulShutdown {
                await alarm.wait(until: time.now().advanced(by: Self.pollInterval), by: time)
            }
        }
    }

    /// Settles attempts whose holder is gone. Not while this one performs any.
    func recover() async throws {
        let now = time.now()
        guard try await database.read({ try !EffectTable.attempts($0).isEmpty }) else { return }
        try await database.write { db in
            for attempt in try EffectTable.attempts(db) where isAbandoned(attempt, now) {
                switch policies[attempt.kind] ?? .atLeastOnce {
                case .atLeastOnce:
                    try EffectTable.planAgain(
                        db, attempt.id, by: attempt.holder, reason: "interrupted", notBefore: now)
                case .atMostOnce:
                    try EffectTable.giveUp(
                        db, attempt.id, by: attempt.holder, as: .unknown,
                        reason: "interrupted: it may have happened", now: now)
                }
            }
        }
    }

    private func isAbandoned(_ attempt: EffectTable.Attempt, _ now: Timestamp) -> Bool {
        if attempt.holder == holder.text || attempt.begun.duration(to: now) >= Self.longestAttempt { return true }
        // A process of the same number before this one, or a service that was stopped in it.
        if holder.isOfSameProcess(attempt.holder) { return !Self.running.withLock { $0.contains(attempt.holder) } }
        return holder.isGone(attempt.holder)
    }

    /// - Returns: whether more may be due.
    func performBatch() async throws -> Bool {
        let now = time.now()
        guard !Task.isCancelled else { return false }
        let effects = try await database.write { [holder] db in
            try EffectTable.attempt(db, by: holder.text, limit: Self.batch, now: now)
        }
        guard !effects.isEmpty else { return false }
        var results: [(Effect, AttemptResult)] = []
        for effect in effects { results.append((effect, await perform(effect))) }
        let done = results
        let ended = time.now()
        // A cancellation does not undo what has happened: it is recorded all the same.
        try await Task.detached { [self] in
            try await database.write { db in
                for (effect, result) in done { try record(db, effect, result, ended) }
            }
        }.value
        return effects.count == Self.batch
    }

    private func perform(_ effect: Effect) async -> AttemptResult {
        guard let performer = performers[effect.kind] else { return .failed("nothing performs \(effect.kind)") }
        return await performer(effect)
    }

    private func record(_ db: Database, _ effect: Effect, _ result: AttemptResult, _ now: Timestamp) throws {
        switch (result, policies[effect.kind] ?? .atLeastOnce) {
        case (.sent, _):
            try EffectTable.sent(db, effect.id, now: now)
        case (.unknown(let reason), .atMostOnce):
            try giveUp(db, effect, as: .unknown, reason, now)
        case (.failed(let reason), .atMostOnce) where effect.attempts >= Self.attemptLimit:
            try giveUp(db, effect, as: .failed, "\(reason), after \(effect.attempts) attempts", now)
        case (.failed(let reason), _), (.unknown(let reason), .atLeastOnce):
            logger.warning("an effect is tried again", metadata: Self.metadata(effect, reason))
            let pause = Duration.seconds(1 << min(effect.attempts - 1, Self.doublings))
            try EffectTable.planAgain(
                db, effect.id, by: holder.text, reason: reason, notBefore: now.advanced(by: pause))
        }
    }

    private func giveUp(
        _ db: Database, _ effect: Effect, as end: EffectTable.End, _ reason: String, _ now: Timestamp
    ) throws {
        logger.error("an effect is given up", metadata: Self.metadata(effect, reason))
        try EffectTable.giveUp(db, effect.id, by: holder.text, as: end, reason: reason, now: now)
    }

    private static func metadata(_ effect: Effect, _ reason: String) -> Logger.Metadata {
        ["id": "\(effect.id)", "attempts": "\(effect.attempts)", "reason": "\(reason)"]
    }
}
