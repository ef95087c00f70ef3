import Escrow
import GRDB
import ShopEvents

extension Checks {
    /// A service and the topics: each event that was published has reached each of its consumers exactly once.
    static func eventsAreHandledOnce(
        _ db: Database, service: String, _ subscriptions: Set<Subscription>, _ topics: Topics
    ) throws -> CheckResult {
        var failing: [String] = []
        var (published, handled, copies) = (0, 0, 0)
        for (consumer, events) in try eventsByConsumer(subscriptions, topics, &copies) {
            let counts = try handledCounts(db, consumer)
            let settled = try settledKeys(db, consumer)
            published += events.count
            handled += counts.values.reduce(0, +)
            failing += events.filter { counts[$0] != 1 || !settled.contains($0) }.map { "\(consumer): \($0.text)" }
            // Handled twice counts even when the broker has forgotten the message.
            failing += counts.filter { $0.value > 1 && !events.contains($0.key) }.map { "\(consumer): \($0.key.text)" }
        }
        return CheckResult(
            "\(service) handles every event exactly once",
            "\(grouped(Int64(published))) events in \(grouped(Int64(published + copies))) messages = "
                + "\(grouped(Int64(handled))) handled",
            failing: failing.sorted())
    }

    private static func eventsByConsumer(
        _ subscriptions: Set<Subscription>, _ topics: Topics, _ copies: inout Int
    ) throws -> [String: Set<ExactText>] {
        var events: [String: Set<ExactText>] = [:]
        for subscription in subscriptions {
            for message in topics.messages[subscription.topic.name] ?? []
            where subscription.events.contains(message.event) {
                let isNew = events[subscription.consumer, default: []].insert(ExactText(message.idempotencyKey))
                    .inserted
                if !isNew { copies += 1 }
            }
        }
        return events
    }

    /// How often the effects of each event were written.
    private static func handledCounts(_ db: Database, _ consumer: String) throws -> [ExactText: Int] {
        var counts: [ExactText: Int] = [:]
        let rows = try Row.fetchCursor(
            db, sql: "SELECT event, count(*) FROM handled_event WHERE consumer = ? GROUP BY event",
            arguments: [consumer])
        while let row = try rows.next() { counts[ExactText(row[0])] = row[1] }
        return counts
    }

    private static func settledKeys(_ db: Database, _ consumer: String) throws -> Set<ExactText> {
        let keys = try String.fetchAll(
            db, sql: "SELECT idempotency_key FROM escrow_inbox WHERE consumer = ? AND outcome <> 'dead'",
            arguments: [consumer])
        return Set(keys.map(ExactText.init))
    }
}
