import GRDB
import Logging
import MQProtocol
import ServiceLifecycle

/// Performs planned effects after the commit that planned them, outside the database's writer.
///
/// A row says `attempted` before its effect may happen, and how it ended afterwards. A process that dies in between
/// leaves it attempted: the next one applies the policy of its kind.
struct EffectRunner: Service {
    let database: any DatabaseWriter
    let performers: [Effect.Kind: EffectPerformer]
    let policies: [Effect.Kind: EffectPolicy]
    let time: TimeSource
    let logger: Logger
    /// Rung when something may be planned.
    let alarm: Alarm

    /// Rows taken together: one commit before and one after them.
    private static let batch = 16
    /// Attempts after which an effect that fails is left to a person.
    private static let attemptLimit = 10
    private static let pollInterval = Duration.seconds(1)

    func run() async throws {
        try await recover()
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
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

    /// Settles attempts whose process is gone.
    func recover() async throws {
        let now = time.now()
        let policies = policies
        try await database.write { db in
            for (kind, policy) in policies {
                for id in try EffectTable.interrupted(db, kind) {
                    switch policy {
                    case .atLeastOnce:
                        try EffectTable.failed(db, id, reason: "interrupted", notBefore: now)
                    case .atMostOnce:
                        try EffectTable.unknown(db, id, reason: "interrupted: it may have happened", now: now)
                    }
                }
            }
        }
    }

    /// - Returns: whether more may be due.
    func performBatch() async throws -> Bool {
        let now = time.now()
        guard !Task.isCancelled else { return false }
        let effects = try await database.write { try EffectTable.attempt($0, limit: Self.batch, now: now) }
        guard !effects.isEmpty else { return false }
        var results: [(Effect, AttemptResult)] = []
        for effect in effects { results.append((effect, await perform(effect))) }
        let done = results
        let ended = time.now()
        // A cancellation does not undo what has happened: it is recorded all the same.
        try await Task.detached { [database, policies, logger] in
            try await database.write { db in
                for (effect, result) in done {
                    try Self.record(db, effect, result, policies[effect.kind] ?? .atLeastOnce, ended, logger)
                }
            }
        }.value
        return effects.count == Self.batch
    }

    private func perform(_ effect: Effect) async -> AttemptResult {
        guard let performer = performers[effect.kind] else { return .failed("nothing performs \(effect.kind)") }
        return await performer(effect)
    }

    private static func record(
        _ db: Database, _ effect: Effect, _ result: AttemptResult, _ policy: EffectPolicy, _ now: Timestamp,
        _ logger: Logger
    ) throws {
        switch result {
        case .sent:
            return try EffectTable.sent(db, effect.id, now: now)
        case .unknown(let reason) where policy == .atMostOnce:
            try EffectTable.unknown(db, effect.id, reason: reason, now: now)
        case .failed(let reason), .unknown(let reason):
            logger.warning("an effect failed", metadata: ["id": "\(effect.id)", "reason": "\(reason)"])
            if effect.attempts >= attemptLimit {
                return try EffectTable.unknown(
                    db, effect.id, reason: "\(reason), after \(effect.attempts) attempts", now: now)
            }
            let pause = Duration.seconds(1 << min(effect.attempts - 1, 6))
            try EffectTable.failed(db, effect.id, reason: reason, notBefore: now.advanced(by: pause))
        }
    }
}
