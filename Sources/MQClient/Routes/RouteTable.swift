import MQProtocol

/// The routes a client knows, and when it asked for them. Pure: the client asks and tells it the answers.
struct RouteTable {
    private struct Entry {
        var route: TopicRoute
        var refreshed: Timestamp
    }

    private var entries: [String: Entry] = [:]

    /// A route that is not older than `maximumAge`.
    func fresh(_ topic: String, now: Timestamp, maximumAge: Duration) -> TopicRoute? {
        guard let entry = entries[topic], entry.refreshed.duration(to: now) < maximumAge else { return nil }
        return entry.route
    }

    /// A route of any age: good enough while no name server answers.
    func known(_ topic: String) -> TopicRoute? {
        entries[topic]?.route
    }

    /// - Returns: true when the route differs from the one known before.
    @discardableResult
    mutating func learn(_ topic: String, _ route: TopicRoute, now: Timestamp) -> Bool {
        let isChanged = entries[topic]?.route != route
        entries[topic] = Entry(route: route, refreshed: now)
        return isChanged
    }

    mutating func forget(_ topic: String) {
        entries[topic] = nil
    }

    /// Topics whose route is due for a refresh, in order of name.
    func stale(now: Timestamp, maximumAge: Duration) -> [String] {
        entries.filter { $0.value.refreshed.duration(to: now) >= maximumAge }.keys.sorted()
    }

    /// Every broker of every route, with repetitions.
    var brokers: [TopicRoute.Broker] {
        entries.values.flatMap(\.route.brokers)
    }

    /// Where a broker was last seen, in any route.
    func broker(named name: String) -> TopicRoute.Broker? {
        for topic in entries.keys.sorted() {
            if let broker = entries[topic]?.route.broker(named: name) { return broker }
        }
        return nil
    }
}
