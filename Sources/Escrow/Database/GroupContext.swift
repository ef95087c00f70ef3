import GRDB
import MQProtocol

/// What the pieces of one SQLite transaction share. Confined to the writer's thread.
final class GroupContext {
    /// The time of the group, read once.
    let now: Timestamp
    private var counts: [Counter: Int64] = [:]
    private var saved: [Counter: Int64] = [:]
    /// Whether some piece wrote to the outbox.
    private(set) var wroteOutbox = false

    init(now: Timestamp) {
        self.now = now
    }

    func count(_ counter: Counter) {
        counts[counter, default: 0] += 1
    }

    func outboxWritten() {
        wroteOutbox = true
    }

    /// A piece begins: what it counts can be taken back.
    func mark() {
        saved = counts
    }

    func takeBack() {
        counts = saved
    }

    /// Adds what was counted to the totals in the database.
    func store(_ db: Database) throws {
        for (counter, count) in counts where count > 0 {
            try db.cachedStatement(
                sql: """
                    INSERT INTO escrow_counter (name, value) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
                    """
            ).execute(arguments: [counter.rawValue, count])
        }
    }
}

/// Totals kept in the database.
package enum Counter: String, CaseIterable, Sendable {
    /// Deliveries whose effect had happened before.
    case duplicatesSuppressed
    /// Check-backs answered with commit or rollback.
    case checkBacks
    case deadlinesFired
    /// Rings of a deadline that was extended, cancelled or fired before.
    case staleRings
    case deadLetters
    /// Transactions that found a rollback fence, or a result of an earlier call.
    case fenced
    /// Half messages that a broker had lost and whose events were sent again.
    case resentEvents
}
