import GRDB
import Logging
import MQProtocol

/// Takes out what is no longer needed, in steps so small that nobody waits for them.
struct Housekeeping: Sendable {
    let writer: Writer
    let inboxRetention: Duration
    let fenceRetention: Duration
    let deadlineRetention: Duration
    let deadLetterRetention: Duration
    let logger: Logger

    private static let interval = Duration.seconds(60)
    /// Rows of one step.
    private static let step = 500

    /// Purges until the task is cancelled.
    func run() async {
        while (try? await writer.time.sleep(for: Self.interval)) != nil { await purge() }
    }

    func purge() async {
        let now = writer.time.now()
        for (sql, retention) in [
            (Self.inbox, inboxRetention), (Self.attempts, inboxRetention), (Self.fences, fenceRetention),
            (Self.cancelledDeadlines, fenceRetention), (Self.firedDeadlines, deadlineRetention),
            (Self.deadDeadlines, deadlineRetention), (Self.deadLetters, deadLetterRetention),
            (Self.unresolved, fenceRetention),
        ] {
            let before = now.advanced(by: .zero - retention).milliseconds
            do {
                while try await delete(sql, before: before) == Self.step, !Task.isCancelled {}
            } catch {
                return logger.warning("old rows cannot be purged now", metadata: ["error": "\(error)"])
            }
        }
    }

    private func delete(_ sql: String, before: Int64) async throws -> Int {
        try await writer.perform { db, _ in
            try db.cachedStatement(sql: sql).execute(arguments: [before, Self.step])
            return db.changesCount
        }
    }

    /// From the front: rows stand in the order of handling. Dead ones stay as long as their letter is open.
    private static let inbox = """
        DELETE FROM escrow_inbox WHERE sequence IN (
            SELECT sequence FROM (
                SELECT sequence, handled FROM escrow_inbox AS entry
                WHERE outcome <> 'dead' OR NOT \(hasLetter("entry.consumer", "entry.idempotency_key"))
                ORDER BY sequence LIMIT ?2)
            WHERE handled < ?1)
        """

    private static func hasLetter(_ consumer: String, _ key: String) -> String {
        """
        EXISTS (SELECT 1 FROM escrow_dead_letter WHERE state IN ('open', 'wanted')
            AND consumer = \(consumer) AND idempotency_key = \(key))
        """
    }
    private static let attempts = """
        DELETE FROM escrow_attempt WHERE (consumer, idempotency_key) IN (
            SELECT consumer, idempotency_key FROM escrow_attempt WHERE last_failed < ?1 LIMIT ?2)
        """
    private static let fences = """
        DELETE FROM escrow_fence WHERE id IN (
            SELECT id FROM escrow_fence WHERE acknowledged < ?1 ORDER BY acknowledged LIMIT ?2)
        """
    private static let cancelledDeadlines = deadlines(in: "cancelled")
    /// Needed to tell a late event from one on time.
    private static let firedDeadlines = deadlines(in: "fired")
    /// Those given up stay as long as their letter is open: it may be redriven.
    private static let deadDeadlines = deadlines(
        in: "dead", and: "NOT " + hasLetter("'\(Firing.consumer(""))' || entry.name", "entry.key"))

    private static func deadlines(in state: String, and condition: String = "true") -> String {
        """
        DELETE FROM escrow_deadline WHERE (name, key) IN (
            SELECT name, key FROM escrow_deadline AS entry
            WHERE ended < ?1 AND state = '\(state)' AND \(condition) ORDER BY ended LIMIT ?2)
        """
    }

    private static let deadLetters = """
        DELETE FROM escrow_dead_letter WHERE id IN (
            SELECT id FROM escrow_dead_letter WHERE state IN ('redriven', 'discarded') AND ended < ?1 LIMIT ?2)
        """
    /// Those that no broker asks for any more: another service has answered, or the half message has expired.
    private static let unresolved = """
        DELETE FROM escrow_unresolved WHERE message_id IN (
            SELECT message_id FROM escrow_unresolved WHERE last_asked < ?1 LIMIT ?2)
        """
}
