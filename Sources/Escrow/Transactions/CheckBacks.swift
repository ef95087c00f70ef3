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
    /// Told of rows whose half is somewhere else now.
    var moved: @Sendable (OutboxRow) -> Void = { _ in }
    /// Whether a stock broker has made the message of a half readable already.
    var isDelivered: @Sendable (HalfMessage) async throws -> Bool = { _ in false }
    let checkerRuns = CheckerRuns()

    private enum Finding: Sendable {
        case verdict(Verdict)
        case leftToRelay(moved: OutboxRow?)
        /// By a stock broker's relay, then.
        case acknowledged(Timestamp)
    }

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
                if !Task.isCancelled {
                    logger.error("a checker does not return, or too many run", metadata: ["kind": "\(kind)"])
                }
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
            switch try await writer.perform({ try find(id, check, $0, $1) }) {
            case .verdict(let verdict): return verdict
            case .leftToRelay(let row):
                if let row { moved(row) }
                return .unknown
            case .acknowledged(let time): return try await verdict(check, acknowledged: time)
            }
        } catch {
            logger.warning("a check-back gets no verdict now", metadata: ["error": "\(error)"])
            return .unknown
        }
    }

    private func find(
        _ id: TransactionID, _ check: CheckBack, _ db: Database, _ context: GroupContext
    ) throws -> Finding {
        let verdict = try Fence.decide(db, id, kind: TransactionKind.fenced, now: context.now)
        if verdict == .commit {
            // The relay sends commits in their order: here this one could overtake an earlier one.
            if try OutboxTable.count(db, of: id) > 0 {
                return .leftToRelay(moved: try OutboxTable.moveHalf(db, of: id, to: check.half))
            }
            if !check.half.keepsVerdictsFinal, let time = try Fence.acknowledged(db, id) { return .acknowledged(time) }
        }
        try answered(check, db, context)
        return .verdict(verdict)
    }

    // MARK: Stock brokers

    /// How long a message that was just committed may be missing where it is looked for. Brokers ask again after a
    /// minute.
    static let crossing = Duration.seconds(30)

    /// A stock broker writes a half anew before it asks, so it asks about a copy after it was given the commit of the
    /// original. When the message is there, the copy comes to nothing; a second commit would deliver it twice. When it
    /// is not, the broker has lost it. One that cannot be asked is asked with the next check-back.
    private func verdict(_ check: CheckBack, acknowledged: Timestamp) async throws -> Verdict {
        let isThere = try await isDelivered(check.half)
        if !isThere, writer.time.now() < acknowledged.advanced(by: Self.crossing) { return .unknown }
        try await writer.perform { db, context in try answered(check, db, context) }
        return isThere ? .rollback : .commit
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
