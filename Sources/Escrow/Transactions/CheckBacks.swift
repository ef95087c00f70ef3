import Foundation
import GRDB
import Logging
public import MQClient
import MQProtocol

/// Gives the verdict of a transaction whose rows are not in this database, when a broker asks back. It reads the
/// decision from where it was made; while that cannot be reached, or is not made yet, it answers `.unknown` and is
/// asked again. One that takes longer than 30 s has answered `.unknown`; of one kind 16 run at a time.
public typealias TransactionChecker = @Sendable (CheckBack) async -> Verdict

/// Answers the brokers' questions after verdicts that did not arrive.
struct CheckBacks: Sendable {
    let writer: Writer
    let identity: String
    let checkers: [String: TransactionChecker]
    /// Older fences may have been purged: no fence says nothing then.
    let fenceRetention: Duration
    let logger: Logger
    let checkerRuns = CheckerRuns()

    func verdict(_ check: CheckBack) async -> Verdict {
        writer.steps.reached(.checkBackArrived)
        let properties = check.message.properties
        let kind = properties[EventProperty.kind] ?? ""
        guard properties[EventProperty.database] == identity else {
            let owner = properties[EventProperty.database] ?? "none"
            return await unresolved(check, "it belongs to another database: \(owner)")
        }
        if let checker = checkers[kind] {
            guard let verdict = await checkerRuns.verdict(on: check, kind, by: writer.time, checker) else {
                logger.error("a checker does not return", metadata: ["kind": "\(kind)"])
                return .unknown
            }
            guard verdict != .unknown else { return .unknown }
            _ = try? await writer.perform { db, context in try answered(check, db, context) }
            return verdict
        }
        guard kind == TransactionKind.fenced,
            let id = properties[EventProperty.transaction].flatMap(TransactionID.init(text:))
        else {
            return await unresolved(check, "nothing here answers transactions of kind \"\(kind)\"")
        }
        let age = check.message.bornTimestamp.duration(to: writer.time.now())
        guard age < fenceRetention else {
            return await unresolved(check, "it is older than fences are kept")
        }
        do {
            return try await writer.perform { db, context in
                let verdict = try Fence.decide(db, id, kind: kind, now: context.now)
                if verdict == .commit, try isLeftToRelay(check.half, id, db, now: context.now) { return .unknown }
                try answered(check, db, context)
                return verdict
            }
        } catch {
            logger.warning("a check-back gets no verdict now", metadata: ["error": "\(error)"])
            return .unknown
        }
    }

    /// How long a verdict that was sent once may be on its way: the question may have been asked before it arrived.
    /// Brokers ask again after a minute.
    static let crossing = Duration.seconds(30)

    /// Whether the relay is about to send the commit, in the order of commits: here it could overtake an earlier one.
    /// Or has just sent it to a broker that would deliver a repeated one twice.
    private func isLeftToRelay(
        _ half: HalfMessage, _ id: TransactionID, _ db: Database, now: Timestamp
    ) throws -> Bool {
        if try OutboxTable.count(db, of: id) > 0 { return true }
        guard !half.keepsVerdictsFinal, let sent = try Fence.acknowledged(db, id) else { return false }
        return now < sent.advanced(by: Self.crossing)
    }

    /// Nobody has to look at it any more.
    private func answered(_ check: CheckBack, _ db: Database, _ context: GroupContext) throws {
        context.count(.checkBacks)
        try db.cachedStatement(sql: "DELETE FROM escrow_unresolved WHERE message_id = ?")
            .execute(arguments: [check.messageID])
    }

    /// Never guessed: it is listed for a person, and the broker asks again.
    private func unresolved(_ check: CheckBack, _ reason: String) async -> Verdict {
        logger.warning(
            "a check-back is answered unknown",
            metadata: ["topic": "\(check.message.topic)", "message": "\(check.messageID)", "reason": "\(reason)"])
        let (id, topic) = (check.messageID, check.message.topic)
        _ = try? await writer.perform { db, context in
            try db.execute(
                sql: """
                    INSERT INTO escrow_unresolved (message_id, reason, topic, first_asked, last_asked, asked)
                    VALUES (?1, ?2, ?3, ?4, ?4, 1)
                    ON CONFLICT (message_id) DO UPDATE SET reason = ?2, last_asked = ?4, asked = asked + 1
                    """,
                arguments: [id, reason, topic, context.now.milliseconds])
        }
        return .unknown
    }
}
