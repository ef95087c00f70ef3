package import Logging
package import MQProtocol
package import MQStore
import NIOCore
import NIOPosix

/// Everything a broker is made of, in the order in which it must exist.
struct BrokerParts {
    var settings: BrokerSettings
    var store: MessageStore
    var topics: TopicTable
    var groups: GroupTable
    var offsets: OffsetTable
    var clients: ClientTable
    var locks: QueueLockTable
    var statistics: BrokerStatistics
    var transactions: TransactionService
    var delays: DelayService
    var time: TimeSource
    var logger: Logger
    var advertisedHost: HostAddress
    var readThreads: NIOThreadPool
    var serviceThreads: NIOThreadPool
    var delayLevels: DelayLevels
    var events: StoreEvents
}

extension Broker {
    /// Opens and recovers the store, and loads every table. Nothing is listened on yet.
    ///
    /// - Parameter advertisedHost: what goes into message ids.
    package static func open(
        _ configuration: BrokerConfiguration,
        advertisedHost: HostAddress,
        device: any StorageDevice,
        time: TimeSource,
        logger: Logger
    ) throws -> Broker {
        let events = StoreEvents()
        let files = ConfigurationFiles(configuration.storage.directory, device: device, logger: logger)
        let store = try MessageStore.open(
            configuration.storeConfiguration(), device: device, time: time, logger: logger, observer: events.observer,
            listedTopics: { () throws(StoreError) in
                try TopicTable.listed(in: files.file("topics.json"), configuration)
            }
        )
        do {
            let parts = try parts(
                BrokerSettings(configuration), store, files, advertisedHost, events, time: time, logger: logger
            )
            parts.offsets.limit { topic, queueID in
                store.existingQueue(topic, queueID).map { store.nextOffset(of: $0).rawValue } ?? 0
            }
            let broker = Broker(parts)
            try broker.transactions.load(host: advertisedHost)
            try broker.delays.load()
            parts.readThreads.start()
            parts.serviceThreads.start()
            events.connect(broker)
            try store.start()
            return broker
        } catch {
            try? store.close()
            throw error
        }
    }

    private static func parts(
        _ settings: BrokerSettings,
        _ store: MessageStore,
        _ files: ConfigurationFiles,
        _ host: HostAddress,
        _ events: StoreEvents,
        time: TimeSource,
        logger: Logger
    ) throws(StoreError) -> BrokerParts {
        let levels = DelayLevels(settings.configuration.delayLevels) ?? .standard
        let topics = try TopicTable.load(
            from: files.file("topics.json", .advisory), settings: settings, time: time, logger: logger,
            makeQueue: { store.queue($0, $1) }
        )
        let groups = try GroupTable.load(
            from: files.file("subscriptionGroup.json", .advisory), settings: settings, time: time, logger: logger
        )
        let offsets = try OffsetTable.load(
            from: files.file("consumerOffset.json", .binding), settings: settings, time: time, logger: logger
        )
        let locks = QueueLockTable(lifetime: settings.configuration.clients.lockLifetime)
        return BrokerParts(
            settings: settings, store: store, topics: topics, groups: groups, offsets: offsets,
            clients: ClientTable(settings: settings, groups: groups, locks: locks, time: time, logger: logger),
            locks: locks, statistics: BrokerStatistics(topics: topics, time: time),
            transactions: TransactionService(
                store: store, topics: topics, offsets: offsets, settings: settings,
                checkFile: files.file("transactionChecks.json"), time: time, logger: logger
            ),
            delays: DelayService(
                store: store, topics: topics, levels: levels,
                files: DelayFiles(
                    levelOffsets: files.file("delayOffset.json", .binding), watermark: files.file("timerWatermark.json")
                ),
                time: time, logger: logger
            ),
            time: time, logger: logger, advertisedHost: host,
            readThreads: NIOThreadPool(numberOfThreads: 2), serviceThreads: NIOThreadPool(numberOfThreads: 2),
            delayLevels: levels, events: events
        )
    }

    /// Writes what is not written yet and closes the store. After the last request.
    package func close() throws {
        events.connect(nil)
        forgetLoops()
        for threads in [readThreads, serviceThreads] { try? threads.syncShutdownGracefully() }
        var failures: [any Error] = []
        func attempt(_ step: () throws -> Void) {
            do { try step() } catch { failures.append(error) }
        }
        // One step that fails, for example on a full disk, takes none of the others with it.
        attempt { try store.flushNow() }
        attempt { transactions.noteProgress(transactions.ends) }
        attempt { transactions.saveCheckCounts() }
        attempt { delays.persistIfDurable() }
        attempt { try topics.flush() }
        attempt { try groups.flush() }
        attempt { try offsets.persist() }
        attempt { try store.close() }
        if let first = failures.first { throw first }
    }
}

/// The broker's own files, in `config` below the store's directory.
private struct ConfigurationFiles {
    var directory: String
    var device: any StorageDevice
    var logger: Logger

    init(_ root: String, device: any StorageDevice, logger: Logger) {
        self.directory = root + "/config"
        self.device = device
        self.logger = logger
    }

    /// - Parameter seal: for RocketMQ's files, which have no checksum of their own.
    func file(_ name: String, _ seal: TextSeal.Use = .none) -> SideFile {
        SideFile(device: device, path: "\(directory)/\(name)", seal: seal, logger: logger)
    }
}
