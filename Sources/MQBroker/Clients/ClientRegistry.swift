package import MQProtocol

/// What a heartbeat says about one consumer of the client.
struct ConsumerRegistration: Sendable {
    var group: String
    var attributes: ConsumerAttributes
    var subscriptions: [ActiveSubscription]
}

/// What a group wants of one topic, with the filter made ready once per heartbeat that changes it.
package struct ActiveSubscription: Sendable {
    package var data: SubscriptionData
    package var filter: TagFilter

    package init(_ data: SubscriptionData) {
        self.data = data
        self.filter = TagFilter(expression: data.subString)
    }
}

/// How a group consumes; the latest heartbeat of any member decides for all.
struct ConsumerAttributes: Sendable, Equatable {
    /// `CONSUME_PASSIVELY` or `CONSUME_ACTIVELY`.
    var consumeType: String
    /// `CLUSTERING` or `BROADCASTING`.
    var messageModel: String
    var consumeFromWhere: String
}

/// Who is connected: producers and consumers by group.
///
/// Pure: connections are whatever names them, the time is an argument, and what is to be done about a change is
/// returned.
struct ClientRegistry<Connection: Hashable & Sendable>: Sendable {
    struct Member: Sendable, Equatable {
        var clientID: String
        var connection: Connection
        var language: LanguageCode
        var version: Int32
        var lastSeen: Timestamp
    }

    struct ConsumerGroup: Sendable {
        fileprivate(set) var members: [Member] = []
        fileprivate(set) var attributes: ConsumerAttributes
        /// By topic, as of the last heartbeat of any member.
        fileprivate(set) var subscriptions: [String: ActiveSubscription] = [:]
    }

    /// A member that left a consumer group.
    struct Departure: Sendable, Equatable {
        var group: String
        var clientID: String
        /// No other connection of the group belongs to the same client.
        var isLast: Bool
    }

    private(set) var consumers: [String: ConsumerGroup] = [:]
    private(set) var producers: [String: [Member]] = [:]
    /// The connection on which a producer's client last registered.
    private var producerClients: [String: Connection] = [:]
    /// Groups by connection, so that a closed connection costs only its own.
    private var consumerGroups: [Connection: Set<String>] = [:]
    private var producerGroups: [Connection: Set<String>] = [:]
    private var turn = 0

    /// The most groups one connection may be in; further ones are not taken.
    static var maximumGroupsPerConnection: Int { 10_000 }

    // MARK: Heartbeats

    /// - Returns: whether the members must hear of it: a new connection, or another set of topics.
    mutating func consumerSeen(_ consumer: ConsumerRegistration, _ member: Member) -> Bool {
        let memberships = consumerGroups[member.connection]?.count ?? 0
        var group = consumers[consumer.group] ?? ConsumerGroup(attributes: consumer.attributes)
        group.attributes = consumer.attributes
        let isNew: Bool
        if let index = group.members.firstIndex(where: { $0.connection == member.connection }) {
            group.members[index] = member
            isNew = false
        } else {
            guard memberships < Self.maximumGroupsPerConnection else { return false }
            group.members.append(member)
            consumerGroups[member.connection, default: []].insert(consumer.group)
            isNew = true
        }
        let isOtherTopics = Self.merge(consumer.subscriptions, into: &group.subscriptions)
        consumers[consumer.group] = group
        return isNew || isOtherTopics
    }

    mutating func producerSeen(group: String, _ member: Member) {
        if let index = producers[group]?.firstIndex(where: { $0.connection == member.connection }) {
            let old = producers[group]?[index].clientID
            if let old, old != member.clientID, producerClients[old] == member.connection { producerClients[old] = nil }
            producerClients[member.clientID] = member.connection
            producers[group]?[index] = member
            return
        }
        guard (producerGroups[member.connection]?.count ?? 0) < Self.maximumGroupsPerConnection else { return }
        producerClients[member.clientID] = member.connection
        producers[group, default: []].append(member)
        producerGroups[member.connection, default: []].insert(group)
    }

    /// - Returns: whether a topic was added or removed. A newer version alone replaces the data, and is no change.
    private static func merge(_ new: [ActiveSubscription], into known: inout [String: ActiveSubscription]) -> Bool {
        var isChanged = false
        for subscription in new {
            if let present = known[subscription.data.topic] {
                guard present.data.subVersion < subscription.data.subVersion else { continue }
            } else {
                isChanged = true
            }
            known[subscription.data.topic] = subscription
        }
        let topics = Set(new.map(\.data.topic))
        for topic in known.keys where !topics.contains(topic) {
            known[topic] = nil
            isChanged = true
        }
        return isChanged
    }

    // MARK: Departures

    /// A client says goodbye for one group.
    mutating func unregister(consumerGroup group: String, from connection: Connection) -> Departure? {
        consumerGroups[connection]?.remove(group)
        if consumerGroups[connection]?.isEmpty == true { consumerGroups[connection] = nil }
        return leave(group, connection)
    }

    mutating func unregister(producerGroup group: String, from connection: Connection) {
        producerGroups[connection]?.remove(group)
        if producerGroups[connection]?.isEmpty == true { producerGroups[connection] = nil }
        leaveProducers(group, connection)
    }

    /// - Returns: the consumer groups that lost a member.
    mutating func closed(_ connection: Connection) -> [Departure] {
        for group in producerGroups.removeValue(forKey: connection) ?? [] { leaveProducers(group, connection) }
        let groups = consumerGroups.removeValue(forKey: connection) ?? []
        return groups.sorted().compactMap { leave($0, connection) }
    }

    /// Forgets members that were not seen for longer than `limit`. Nobody is told: the others notice at their next
    /// rebalance.
    ///
    /// - Returns: the connections to close, and the consumer groups that lost a member.
    mutating func expire(now: Timestamp, limit: Duration) -> (connections: Set<Connection>, departures: [Departure]) {
        var connections: Set<Connection> = []
        var departures: [Departure] = []
        for (name, group) in consumers {
            for member in group.members where member.lastSeen.duration(to: now) > limit {
                connections.insert(member.connection)
                if let departure = unregister(consumerGroup: name, from: member.connection) {
                    departures.append(departure)
                }
            }
        }
        for (name, members) in producers {
            for member in members where member.lastSeen.duration(to: now) > limit {
                connections.insert(member.connection)
                unregister(producerGroup: name, from: member.connection)
            }
        }
        return (connections, departures)
    }

    private mutating func leave(_ name: String, _ connection: Connection) -> Departure? {
        guard var group = consumers[name],
            let index = group.members.firstIndex(where: { $0.connection == connection })
        else { return nil }
        let clientID = group.members.remove(at: index).clientID
        consumers[name] = group.members.isEmpty ? nil : group
        let isLast = !group.members.contains { $0.clientID == clientID }
        return Departure(group: name, clientID: clientID, isLast: isLast)
    }

    private mutating func leaveProducers(_ name: String, _ connection: Connection) {
        guard var members = producers[name],
            let index = members.firstIndex(where: { $0.connection == connection })
        else { return }
        let member = members.remove(at: index)
        producers[name] = members.isEmpty ? nil : members
        let isElsewhere = producerGroups[connection]?.isEmpty == false
        if !isElsewhere, producerClients[member.clientID] == connection { producerClients[member.clientID] = nil }
    }

    // MARK: Looking up

    /// A member of the producer group, the next one with each call. A closed connection left with its close, so
    /// whoever is returned was connected a moment ago.
    mutating func nextProducer(group: String) -> Member? {
        guard let members = producers[group], !members.isEmpty else { return nil }
        turn &+= 1
        return members[Int(UInt(bitPattern: turn) % UInt(members.count))]
    }

    /// Clients of producers that ``producerConnection(clientID:)`` knows.
    var producerClientCount: Int { producerClients.count }

    func producerConnection(clientID: String) -> Connection? {
        producerClients[clientID]
    }

    func member(clientID: String, consumerGroup: String) -> Member? {
        consumers[consumerGroup]?.members.first { $0.clientID == clientID }
    }

    /// The online consumer groups that subscribe to the topic.
    func consumerGroups(of topic: String) -> [String] {
        consumers.filter { $0.value.subscriptions[topic] != nil }.map(\.key)
    }

    var connectionCount: Int {
        Set(consumerGroups.keys).union(producerGroups.keys).count
    }
}
