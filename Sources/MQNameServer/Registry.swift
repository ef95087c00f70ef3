import Logging
import MQProtocol
import MQRemoting
import Synchronization

/// Everything that the event loops of one name server share.
final class Registry: Sendable {
    let keyValues: KeyValueStore
    let time: TimeSource
    let logger: Logger
    private let routes: Mutex<RouteTable>
    /// Those that are open.
    private let connections = Mutex<[UInt64: ConnectionHandle]>([:])
    private let settings: Mutex<NameServerConfiguration>

    init(
        configuration: NameServerConfiguration,
        keyValues: KeyValueStore,
        time: TimeSource,
        logger: Logger
    ) {
        self.keyValues = keyValues
        self.time = time
        self.logger = logger
        self.routes = Mutex(RouteTable(brokerTimeout: configuration.brokerTimeout))
        self.settings = Mutex(configuration)
    }

    func withRoutes<Result>(_ body: (inout sending RouteTable) -> sending Result) -> sending Result {
        routes.withLock(body)
    }

    var configuration: NameServerConfiguration { settings.withLock { $0 } }

    func setConfiguration(_ configuration: NameServerConfiguration) {
        settings.withLock { $0 = configuration }
    }

    func connectionOpened(_ connection: ConnectionHandle) {
        connections.withLock { $0[connection.id] = connection }
    }

    /// - Returns: nil when the connection was closed while the registration was read: nobody would remove the broker.
    func register(_ registration: BrokerRegistration, over connection: ConnectionHandle) -> RegistrationAnswer? {
        // With both locks: the connection cannot end in between.
        let registered: RegistrationAnswer? = connections.withLock { connections in
            guard connections[connection.id] != nil else { return nil }
            return routes.withLock { $0.register(registration, now: time.now()) }
        }
        if let answer = registered, answer.isNew {
            // Text that operators search for in the logs of stock name servers.
            logger.info("new broker registered, \(registration.address) HAServer: \(registration.haAddress)")
        }
        return registered
    }

    /// Removes the brokers that registered over a connection which is gone.
    func connectionLost(_ connection: ConnectionHandle) {
        guard connections.withLock({ $0.removeValue(forKey: connection.id) }) != nil else { return }
        for broker in routes.withLock({ $0.connectionLost(connection.id) }) {
            logger.notice("broker removed: its connection ended", metadata: broker.metadata)
        }
    }

    /// Removes silent brokers and closes their connections.
    func removeSilentBrokers() {
        let (removed, stillUsed) = routes.withLock { table in
            let removed = table.expire(now: time.now())
            return (removed, Set(table.live.values.map(\.connection)))
        }
        for broker in removed {
            logger.notice("broker removed: it did not register for too long", metadata: broker.metadata)
            guard !stillUsed.contains(broker.connection) else { continue }
            connections.withLock { $0.removeValue(forKey: broker.connection) }?.close()
        }
    }
}

extension RemovedBroker {
    fileprivate var metadata: Logger.Metadata {
        ["broker": "\(brokerName)", "address": "\(address)"]
    }
}
