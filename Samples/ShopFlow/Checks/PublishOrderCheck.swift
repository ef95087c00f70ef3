import Escrow
import GRDB
import ShopEvents

extension Checks {
    /// A service and the topics: the events of one ordering key were handled in the order in which they were published.
    ///
    /// A topic keeps one key in one queue, so the order of publishing is that of offsets; a repeated event stands where
    /// it was published first.
    static func keysAreHandledInOrder(
        _ db: Database, service: String, _ subscriptions: Set<Subscription>, _ topics: Topics
    ) throws -> CheckResult {
        var failing: [String] = []
        var keys = 0
        for subscription in subscriptions {
            let published = publishedPlaces(subscription, topics)
            let handled = try handledByKey(db, subscription.consumer, published)
            keys += handled.count
            for (key, places) in handled where zip(places, places.dropFirst()).contains(where: { $0 > $1 }) {
                failing.append("\(subscription.consumer): \(key.text)")
            }
            failing += scatteredKeys(subscription, handled)
        }
        return CheckResult(
            "\(service) handles each key in the order of publishing", "\(grouped(Int64(keys))) keys in order",
            failing: failing.sorted())
    }

    /// Where each event was published first.
    private static func publishedPlaces(
        _ subscription: Subscription, _ topics: Topics
    ) -> [ExactText: Place] {
        var places: [ExactText: Place] = [:]
        for message in topics.messages[subscription.topic.name] ?? []
        where subscription.events.contains(message.event) && places[ExactText(message.idempotencyKey)] == nil {
            places[ExactText(message.idempotencyKey)] = Place(queue: message.queue, offset: message.offset)
        }
        return places
    }

    struct Place: Comparable {
        var queue: String
        var offset: Int64

        static func < (lhs: Place, rhs: Place) -> Bool { lhs.offset < rhs.offset }
    }

    /// By ordering key, the places of its events in the order of handling.
    private static func handledByKey(
        _ db: Database, _ consumer: String, _ places: [ExactText: Place]
    ) throws -> [ExactText: [Place]] {
        var handled: [ExactText: [Place]] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT ordering_key, event FROM handled_event
                WHERE consumer = ? AND ordering_key IS NOT NULL ORDER BY sequence
                """,
            arguments: [consumer])
        while let row = try rows.next() {
            if let place = places[ExactText(row[1])] { handled[ExactText(row[0]), default: []].append(place) }
        }
        return handled
    }

    /// Keys whose events stand in more than one queue have no order.
    private static func scatteredKeys(
        _ subscription: Subscription, _ handled: [ExactText: [Place]]
    ) -> [String] {
        handled.filter { Set($0.value.map(\.queue)).count > 1 }
            .map { "\(subscription.consumer): \($0.key.text) in several queues" }
    }
}
