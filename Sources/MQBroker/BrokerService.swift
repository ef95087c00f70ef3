package import Logging
package import MQProtocol
import MQRemoting
package import MQStore
import NIOCore
package import NIOPosix
import ServiceLifecycle

/// A broker that serves: its listeners and its background loops, as a service.
///
/// `run` returns after a graceful shutdown: traffic is drained first, then the broker leaves the name servers, then the
/// store is flushed and closed.
package final class BrokerService: Service {
    package let broker: Broker
    package let registration: Registration
    private let server: RemotingServer<BrokerLoop>
    private let fastServer: RemotingServer<BrokerLoop>
    private let logger: Logger
    /// The address really listened on.
    package let address: HostAddress
    /// That of the second listener, which serves everything but pulls.
    package let fastAddress: HostAddress

    /// Opens the store, loads the tables, and listens; serves from here on.
    package static func start(
        _ configuration: BrokerConfiguration,
        device: any StorageDevice = FileDevice(),
        time: TimeSource = .system,
        group: MultiThreadedEventLoopGroup,
        logger: Logger
    ) async throws -> BrokerService {
        let broker = try Broker.open(
            configuration, advertisedHost: configuration.advertisedAddress(), device: device, time: time, logger: logger
        )
        do {
            return try await BrokerService(broker, group: group, logger: logger)
        } catch {
            try? broker.close()
            throw error
        }
    }

    private init(_ broker: Broker, group: MultiThreadedEventLoopGroup, logger: Logger) async throws {
        let configuration = broker.settings.configuration
        self.broker = broker
        self.logger = logger
        func makeHandler(servesPulls: Bool) -> @Sendable (EventLoopTurn) -> BrokerLoop {
            { turn in
                let loop = BrokerLoop(broker: broker, turn: turn, servesPulls: servesPulls)
                broker.register(loop)
                return loop
            }
        }
        server = RemotingServer(
            configuration.serverConfiguration(port: configuration.network.listenPort),
            group: group, logger: logger, makeHandler: makeHandler(servesPulls: true)
        )
        fastServer = RemotingServer(
            configuration.serverConfiguration(port: configuration.network.fastPort),
            group: group, logger: logger, makeHandler: makeHandler(servesPulls: false)
        )
        address = try await server.bind()
        broker.listens(on: address.port)
        do {
            fastAddress = try await fastServer.bind()
        } catch {
            await server.shutdown(drain: .zero)
            throw error
        }
        registration = Registration(broker, address: address, group: group)
    }

    package func run() async throws {
        await withTaskGroup { tasks in
            let broker = broker
            let registration = registration
            let threads = broker.serviceThreads
            tasks.addTask { await registration.run() }
            tasks.addTask { await broker.offsets.run() }
            tasks.addTask { await broker.clients.run() }
            tasks.addTask { await broker.statistics.run() }
            tasks.addTask { await broker.expireHeldPulls() }
            tasks.addTask { await broker.transactions.run(on: threads, clients: broker.clients) }
            tasks.addTask { await broker.delays.run(on: threads) }
            tasks.addTask { await broker.delays.persistLoop(on: threads) }
            try? await gracefulShutdown()
            tasks.cancelAll()
        }
        try await stop()
    }

    /// How long requests in flight may take to be answered at the end.
    private static let drainTime = Duration.seconds(5)

    private func stop() async throws {
        await registration.unregister()
        await server.shutdown(drain: Self.drainTime)
        await fastServer.shutdown(drain: Self.drainTime)
        try broker.close()
    }
}
