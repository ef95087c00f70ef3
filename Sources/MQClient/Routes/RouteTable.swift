import MQProtocol

/// The routes a client knows, when it asked for them, and where each broker is. Pure: the client asks and tells it the
/// answers.
struct RouteTable {
    private struct Entry {
        var route: TopicRoute
        /// Worked out once, not with every message.
        var publishQueues: [MessageQueue]
        var refreshed: Timestamp
    }

    /// What is thrown while nobody knows a topic and nobody would create it.
    private struct Absence {
        var error: MQClientError
        var asked: Timestamp
    }

    /// How long an absence is believed.
    private static let absenceAge = Duration.seconds(1)
    /// Topics whose absence is remembered: names may come from outside.
    private static let absenceLimit = 1000

    private var entries: [String: Entry] = [:]
    private var absences: [String: Absence] = [:]
    /// As the cluster's list has them, when that was asked for.
    private var listed: [String: TopicRoute.Broker] = [:]
    /// By name, as the latest answer about any topic or about the cluster has them.
    private var latest: [String: TopicRoute.Broker] = [:]

    /// A route that is not older than `maximumAge`.
    func fresh(_ topic: String, now: Timestamp, maximumAge: Duration) -> TopicRoute? {
        freshEntry(topic, now: now, maximumAge: maximumAge)?.route
    }

    /// The queues to send to, by a route that is not older than `maximumAge`.
    func freshPublishQueues(_ topic: String, now: Timestamp, maximumAge: Duration) -> [MessageQueue]? {
        freshEntry(topic, now: now, maximumAge: maximumAge)?.publishQueues
    }

    /// The error to throw when the name servers did not know the topic a moment ago. After that moment one caller gets
    /// nil and asks again, for all the others too: the rows of an outbox come back together, and would all ask.
    mutating func absence(of topic: String, now: Timestamp) -> MQClientError? {
        guard let absence = absences[topic] else { return nil }
        // Also after the clock was set back.
        if Duration.zero..<Self.absenceAge ~= absence.asked.duration(to: now) { return absence.error }
        absences[topic]?.asked = now
        return nil
    }

    mutating func note(absence error: MQClientError, of topic: String, now: Timestamp) {
        if absences.count >= Self.absenceLimit { absences.removeAll() }
        absences[topic] = Absence(error: error, asked: now)
    }

    private func freshEntry(_ topic: String, now: Timestamp, maximumAge: Duration) -> Entry? {
        guard let entry = entries[topic], entry.refreshed.duration(to: now) < maximumAge else { return nil }
        return entry
    }

    /// A route of any age: good enough while no name server answers.
    func known(_ topic: String) -> TopicRoute? {
        entries[topic]?.route
    }

    /// A route of any age, which counts as fresh again.
    mutating func keep(_ topic: String, now: Timestamp) -> TopicRoute? {
        entries[topic]?.refreshed = now
        return entries[topic]?.route
    }

    /// - Returns: true when the route differs from the one known before.
    @discardableResult
    mutating func learn(_ topic: String, _ route: TopicRoute, now: Timestamp) -> Bool {
        for broker in route.brokers { latest[broker.name] = broker }
        absences[topic] = nil
        guard entries[topic]?.route != route else {
            entries[topic]?.refreshed = now
            return false
        }
        entries[topic] = Entry(
            route: route, publishQueues: route.publishQueues(topic: topic), refreshed: now)
        dropVanishedBrokers()
        return true
    }

    mutating func learn(_ topology: ClusterTopology) {
        listed = topology.brokersByName
        latest.merge(listed) { _, new in new }
        dropVanishedBrokers()
    }

    mutating func forget(_ topic: String) {
        entries[topic] = nil
        absences[topic] = nil
        dropVanishedBrokers()
    }

    private mutating func dropVanishedBrokers() {
        let names = routedNames.union(listed.keys)
        latest = latest.filter { names.contains($0.key) }
    }

    private var routedNames: Set<String> {
        Set(entries.values.lazy.flatMap(\.route.brokers).map(\.name))
    }

    /// Topics whose route is due for a refresh, in order of name.
    func stale(now: Timestamp, maximumAge: Duration) -> [String] {
        entries.filter { $0.value.refreshed.duration(to: now) >= maximumAge }.keys.sorted()
    }

    /// Where a broker was last seen.
    func broker(named name: String) -> TopicRoute.Broker? {
        latest[name]
    }

    /// The broker whose master has that address.
    func broker(withMaster address: String) -> TopicRoute.Broker? {
        latest.values.first { $0.master == address }
    }

    /// The brokers of known routes.
    var routedBrokers: [TopicRoute.Broker] {
        routedNames.compactMap { latest[$0] }
    }

    /// The brokers of known routes, and all of the cluster's when its list is known.
    var allBrokers: [TopicRoute.Broker] {
        Array(latest.values)
    }
}
