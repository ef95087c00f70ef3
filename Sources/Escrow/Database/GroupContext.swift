import GRDB
import MQClient
import MQProtocol

/// What the pieces of one SQLite transaction share. Confined to the writer's thread.
final class GroupContext {
    /// The time of the group, read once.
    let now: Timestamp
    private(set) var counts: [Counter: Int64] = [:]
    private var saved: [Counter: Int64] = [:]
    /// Of the deadlines that fired.
    private(set) var lateness: [Duration] = []
    private var savedLateness = 0
    /// What the pieces wrote to the outbox.
    private(set) var published: [OutboxRow] = []
    private var savedRows = 0
    private var hasAttempts: Bool?

    init(now: Timestamp) {
        self.now = now
    }

    func count(_ counter: Counter) {
        counts[counter, default: 0] += 1
    }

    /// Writes an event to the outbox.
    ///
    /// - Parameter half: its half message, as the row keeps it.
    func publish(
        _ db: Database, _ event: OutgoingEvent, fence: TransactionID? = nil, half: EncodedHalf? = nil
    ) throws {
        let sequence = try OutboxTable.insert(db, event, fence: fence, half: half, now: now)
        let row = OutboxRow(sequence: sequence, fence: fence, event: event, half: half?.message)
        published.append(row)
        count(.published)
    }

    /// Whether any failed attempt is on record, so that a success has to look for its own.
    func attemptsExist(_ db: Database) throws -> Bool {
        if let hasAttempts { return hasAttempts }
        let found = try InboxTable.hasAttempts(db)
        hasAttempts = found
        return found
    }

    func attemptAdded() {
        hasAttempts = true
    }

    /// A piece begins: what it counts can be taken back.
    func mark() {
        saved = counts
        savedRows = published.count
        savedLateness = lateness.count
    }

    func takeBack() {
        counts = saved
        published.removeLast(published.count - savedRows)
        lateness.removeLast(lateness.count - savedLateness)
    }

    func deadlineFired(late duration: Duration) {
        count(.deadlinesFired)
        lateness.append(duration)
    }

    /// Adds what was counted to the totals in the database.
    func store(_ db: Database) throws {
        for (counter, count) in counts where count > 0 && counter.isStored {
            try db.cachedStatement(
                sql: """
                    INSERT INTO escrow_counter (name, value) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
                    """
            ).execute(arguments: [counter.rawValue, count])
        }
    }
}

/// What is counted: for the metrics of the process, and some of it as totals in the database.
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
    /// Rows written to the outbox.
    case published
    /// Rows of the outbox that a broker has acknowledged.
    case relayed
    /// Deliveries whose effect is committed.
    case handled
    /// Failed runs of handlers that are made again.
    case retries
    /// Transactions of which COMMIT failed ambiguously.
    case inDoubt

    /// Whether its total is kept in the database: what a person asks for after the process has ended.
    var isStored: Bool {
        switch self {
        case .duplicatesSuppressed, .checkBacks, .deadlinesFired, .staleRings, .deadLetters, .fenced, .resentEvents:
            true
        case .published, .relayed, .handled, .retries, .inDoubt: false
        }
    }
}
