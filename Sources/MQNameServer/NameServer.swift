public import Logging
public import MQProtocol
import MQRemoting
import NIOCore
public import NIOPosix
public import ServiceLifecycle
import Synchronization

/// Tells clients which broker serves which topic. Name servers know nothing of each other: brokers register with every
/// one of them.
///
/// ``run()`` serves until it is shut down:
/// ```swift
/// let server = try NameServer(configuration, group: .singleton, logger: logger)
/// try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
public final class NameServer: Service {
    private let configuration: NameServerConfiguration
    private let registry: Registry
    private let server: RemotingServer<NameServerLoop>
    private let bound = Mutex<HostAddress?>(nil)

    /// Loads the stored key-values; listens to nothing yet.
    /// - Throws: `NameServerError`: `configuration`, `inputOutput`, `corrupt`.
    public init(
        _ configuration: NameServerConfiguration,
        group: MultiThreadedEventLoopGroup,
        logger: Logger,
        time: TimeSource = .system
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        let registry = Registry(
            configuration: configuration,
            keyValues: try KeyValueStore(path: configuration.keyValueFile),
            time: time,
            logger: logger
        )
        self.registry = registry
        server = RemotingServer(configuration.server, group: group, logger: logger) { _ in
            NameServerLoop(registry: registry)
        }
    }

    /// Starts to listen; ``run()`` does it unless it was done.
    /// - Returns: the address really listened on, `ip:port`.
    /// - Throws: `RemotingError`: `portInUse`, `bindFailed`, `tls`, `configuration`.
    @discardableResult
    public func start() async throws -> String {
        if let address = bound.withLock({ $0 }) { return "\(address)" }
        let address = try await server.bind()
        bound.withLock { $0 = address }
        return "\(address)"
    }

    /// Serves until the task is cancelled or the service group shuts down gracefully.
    public func run() async throws {
        try await start()
        await cancelWhenGracefulShutdown { await self.watchBrokers() }
        await stop()
    }

    /// Stops to listen and closes all connections. ``run()`` ends with it; it is for those who only called
    /// ``start()``.
    public func stop() async {
        await server.shutdown(drain: configuration.drainTimeout)
    }

    private func watchBrokers() async {
        do {
            try await registry.time.sleep(for: configuration.scanInterval / 2)
            while true {
                registry.removeSilentBrokers()
                try await registry.time.sleep(for: configuration.scanInterval)
            }
        } catch {
            // Cancelled: the server is to stop.
        }
    }
}
