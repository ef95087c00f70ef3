import Foundation
import Logging
import MQBroker
import MQNameServer
import MQProtocol
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// A name server and a broker inside this process, on loopback ports that the system chooses.
///
/// It serves from ``start(_:)`` until ``stop()``. Any client of this machine may use it, stock ones too. Started again
/// on the same directory it goes on where it was; its ports are others then.
///
/// The process's limit of open files stays as it is (`ulimit -n`): the store keeps half of them at most for queues, and
/// gives those back when the process runs out. A service with thousands of queues or connections raises it itself.
///
/// ```swift
/// let broker = try await EmbeddedBroker.start(EmbeddedBrokerConfiguration(directory: "data"))
/// let client = MQClient(MQClientConfiguration(nameServers: try NameServerAddresses(broker.nameServers)))
/// ...
/// await broker.stop()
/// ```
public final class EmbeddedBroker: Service {
    /// For `NameServerAddresses`: `127.0.0.1:port`.
    public let nameServers: String
    /// `127.0.0.1:port`.
    public let address: String
    /// Where the messages are.
    public let directory: String

    private let logger: Logger
    private let services: ServiceGroup
    private let serving: Task<Void, any Error>
    private let isTemporary: Bool

    /// Opens or creates the store, recovers it, and serves: when this returns, the name server knows the broker.
    ///
    /// - Throws: the store's own `StoreError` for a directory that is locked, corrupt, full or not accessible;
    ///   `ConfigurationError` for values that cannot be used.
    public static func start(
        _ configuration: EmbeddedBrokerConfiguration = EmbeddedBrokerConfiguration()
    ) async throws -> EmbeddedBroker {
        let directory = try configuration.directory ?? makeTemporaryDirectory()
        do {
            return try await EmbeddedBroker(configuration, directory: directory)
        } catch {
            if configuration.directory == nil { try? FileManager.default.removeItem(atPath: directory) }
            throw error
        }
    }

    private init(_ configuration: EmbeddedBrokerConfiguration, directory: String) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let nameServer = try NameServer(
            configuration.nameServer(directory), group: group, logger: configuration.logger, time: configuration.time)
        let nameServers = try await nameServer.start()
        let broker: BrokerService
        do {
            broker = try await BrokerService.start(
                configuration.broker(directory, nameServer: nameServers), time: configuration.time, group: group,
                logger: configuration.logger)
        } catch {
            await nameServer.stop()
            throw error
        }
        self.nameServers = nameServers
        self.directory = directory
        address = "\(broker.address)"
        logger = configuration.logger
        isTemporary = configuration.directory == nil
        // The broker, started last, is shut down first.
        let services = ServiceGroup(services: [nameServer, broker], logger: configuration.logger)
        self.services = services
        // Unstructured on purpose: it serves beyond this call, whatever ends the caller, until `stop`.
        serving = Task.detached { try await services.run() }
        broker.registration.topicsChanged()
        try await broker.registration.announced(on: group.any()).get()
    }

    /// Serves until the task is cancelled or the service group shuts down gracefully, then stops as ``stop()`` does.
    ///
    /// - Throws: what ended the broker before it was to end.
    public func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await serving.value
        } onCancelOrGracefulShutdown: {
            // Unstructured on purpose: the handler cannot wait, and `serving` ends when this is done.
            Task { await self.services.triggerGracefulShutdown() }
        }
        removeIfTemporary()
    }

    /// Answers what is under way, leaves the name server, flushes and closes the store. What did not go well is logged.
    public func stop() async {
        await services.triggerGracefulShutdown()
        do {
            try await serving.value
        } catch {
            logger.error("the embedded broker did not stop cleanly", metadata: ["error": "\(error)"])
        }
        removeIfTemporary()
    }

    private func removeIfTemporary() {
        if isTemporary { try? FileManager.default.removeItem(atPath: directory) }
    }

    private static func makeTemporaryDirectory() throws -> String {
        let directory = FileManager.default.temporaryDirectory.appending(path: "escrow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory.path
    }
}
