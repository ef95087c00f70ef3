import MQBroker
import MQNameServer
import MQProtocol
import MQRemoting

/// What the two servers are told.
extension EmbeddedBrokerConfiguration {
    /// A manual clock may jump by any time at once, and then nobody has been silent: whoever is gone is noticed by the
    /// end of its connection, never by its age.
    private static let always = Duration.seconds(100 * 365 * 86_400)

    func nameServer(_ directory: String) -> NameServerConfiguration {
        var nameServer = NameServerConfiguration()
        nameServer.server.port = 0
        nameServer.server.connection.idleTimeout = Self.always
        nameServer.brokerTimeout = Self.always
        nameServer.keyValueFile = "\(directory)/namesrv/kvConfig.json"
        return nameServer
    }

    func broker(_ directory: String, nameServer: String) -> BrokerConfiguration {
        var broker = BrokerConfiguration()
        broker.brokerName = brokerName
        broker.nameServers = [nameServer]
        broker.network.listenPort = 0
        broker.network.idleTimeout = Self.always
        broker.clients.expiry = Self.always
        broker.clients.lockLifetime = Self.always
        broker.topics.templateQueues = topicQueues
        broker.transactions.timeout = firstCheck
        broker.transactions.checkInterval = checkInterval
        broker.storage.directory = directory
        broker.storage.synchronousFlush = flush == .synchronous
        broker.storage.segmentBytes = segmentBytes
        // What its service has not handled is nowhere else, and the disk is not the broker's own: however full it is,
        // nothing goes for its sake, and only the system says when there is no room.
        broker.storage.retainsUnconsumed = true
        broker.storage.forcedDeletion = false
        broker.storage.forcedDeletionPercent = 100
        broker.storage.diskFullPercent = 100
        // RocketMQ's own checksum covers bodies only.
        broker.storage.recordChecksum = true
        // A store for one team: index files of 42 MB instead of 420.
        broker.storage.indexSlots = 500_000
        broker.storage.indexEntries = 2_000_000
        return broker
    }
}
