package import Logging
package import MQProtocol
package import MQRemoting
import NIOCore
import Synchronization

/// Who is connected: producers and consumers by group, from their heartbeats.
///
/// Does what ``ClientRegistry`` returns: tells the members of a group when it changed, frees the locks of clients that
/// are gone, closes connections that fell silent.
package final class ClientTable: Sendable {
    typealias Registry = ClientRegistry<ConnectionHandle>

    /// How often silent clients are looked for.
    private static let scanInterval = Duration.seconds(10)

    private let settings: BrokerSettings
    private let groups: GroupTable
    private let locks: QueueLockTable
    private let time: TimeSource
    private let logger: Logger
    private let registry = Mutex(Registry())

    package init(
        settings: BrokerSettings, groups: GroupTable, locks: QueueLockTable, time: TimeSource, logger: Logger
    ) {
        self.settings = settings
        self.groups = groups
        self.locks = locks
        self.time = time
        self.logger = logger
    }

    // MARK: Coming and going

    /// - Returns: the groups whose members must hear of it, see ``changed(_:)``.
    func heartbeat(
        producers: [String], consumers: [ConsumerRegistration], from member: Registry.Member
    ) -> [String] {
        registry.withLock { registry in
            for group in producers { registry.producerSeen(group: group, member) }
            return consumers.filter { registry.consumerSeen($0, member) }.map(\.group)
        }
    }

    /// Tells the members of the groups to rebalance, unless a group wants no such news.
    func changed(_ changed: [String]) {
        for group in changed where groups.find(group)?.notifyConsumerIDsChangedEnable ?? true {
            notify(group)
        }
    }

    func unregister(producerGroup: String?, consumerGroup: String?, from connection: ConnectionHandle) {
        let departure = registry.withLock { registry in
            if let producerGroup { registry.unregister(producerGroup: producerGroup, from: connection) }
            return consumerGroup.flatMap { registry.unregister(consumerGroup: $0, from: connection) }
        }
        guard let departure else { return }
        release(departure)
        changed([departure.group])
    }

    /// Forgets the connection's clients. Their queue locks are free at once, where RocketMQ lets them run out: the next
    /// owner starts a minute earlier, and may start while the lost client still works on its last message.
    package func connectionClosed(_ connection: ConnectionHandle) {
        let departures = registry.withLock { $0.closed(connection) }
        for departure in departures {
            release(departure)
            notify(departure.group)
        }
    }

    /// Looks for silent clients and free locks every 10 s until the task is cancelled.
    package func run() async {
        while (try? await time.sleep(for: Self.scanInterval)) != nil {
            expire()
        }
    }

    func expire() {
        let now = time.now()
        let limit = settings.configuration.clients.expiry
        let (connections, departures) = registry.withLock { $0.expire(now: now, limit: limit) }
        departures.forEach(release)
        for connection in connections {
            logger.warning(
                "closing the connection of a client without heartbeats",
                metadata: [
                    "remote": "\(connection.remoteAddress)"
                ])
            connection.close()
        }
        locks.expire(now: now)
    }

    private func release(_ departure: Registry.Departure) {
        guard departure.isLast else { return }
        locks.release(group: departure.group, clientID: departure.clientID)
    }

    /// Tells every member of the group to rebalance.
    private func notify(_ group: String) {
        guard settings.configuration.clients.notifyChanges else { return }
        let members = registry.withLock { $0.consumers[group]?.members ?? [] }
        for member in members {
            member.connection.oneWay(.notifyConsumerIDsChanged, header: ConsumerGroupHeader(consumerGroup: group))
        }
    }

    // MARK: Looking up

    /// What the group subscribes to on the topic, as of its last heartbeat. On the pull path.
    package func subscription(group: String, topic: String) -> ActiveSubscription? {
        registry.withLock { $0.consumers[group]?.subscriptions[topic] }
    }

    /// Whether the group has a member, and whether it consumes by broadcast. On the pull path.
    package func isBroadcasting(group: String) -> Bool? {
        registry.withLock { $0.consumers[group].map { $0.attributes.messageModel == "BROADCASTING" } }
    }

    package func consumerGroup(_ name: String) -> ConsumerGroupView? {
        registry.withLock { registry in
            registry.consumers[name].map(ConsumerGroupView.init)
        }
    }

    /// The online consumer groups that subscribe to the topic.
    package func consumerGroups(of topic: String) -> [String] {
        registry.withLock { $0.consumerGroups(of: topic) }
    }

    func consumer(clientID: String, group: String) -> Registry.Member? {
        registry.withLock { $0.member(clientID: clientID, consumerGroup: group) }
    }

    func consumers(of group: String) -> [Registry.Member] {
        registry.withLock { $0.consumers[group]?.members ?? [] }
    }

    func producers() -> [String: [Registry.Member]] {
        registry.withLock { $0.producers }
    }

    /// A connection of the producer group for a check-back: round robin.
    package func producerConnection(group: String) -> ConnectionHandle? {
        registry.withLock { $0.nextProducer(group: group) }?.connection
    }

    /// The connection on which that producer client last registered; for reply messages.
    package func producerConnection(clientID: String) -> ConnectionHandle? {
        registry.withLock { $0.producerConnection(clientID: clientID) }
    }

    package var connectionCount: Int {
        registry.withLock { $0.connectionCount }
    }
}

/// What is known of a consumer group at one moment.
package struct ConsumerGroupView: Sendable {
    package var clientIDs: [String]
    package var consumeType: String
    package var messageModel: String
    package var consumeFromWhere: String
    package var subscriptions: [SubscriptionData]

    init(_ group: ClientTable.Registry.ConsumerGroup) {
        clientIDs = group.members.map(\.clientID)
        consumeType = group.attributes.consumeType
        messageModel = group.attributes.messageModel
        consumeFromWhere = group.attributes.consumeFromWhere
        subscriptions = group.subscriptions.values.map(\.data).sorted { $0.topic < $1.topic }
    }

    package var isBroadcasting: Bool { messageModel == "BROADCASTING" }
}
