import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import Synchronization

/// A client of RocketMQ brokers and name servers, Escrow's or Apache's: sends, pulls, queries, administers.
///
/// One client is meant for a whole process. It opens one connection to each server it talks to, shares it between all
/// callers, opens it again after a failure, and remembers where topics live. All its functions may be called from
/// anywhere at the same time.
///
/// ```swift
/// let servers = try NameServerAddresses("127.0.0.1:9876")
/// try await MQClient.with(MQClientConfiguration(nameServers: servers)) { client in
///     let receipt = try await client.send(Message(topic: "Orders", body: "hello"))
///     print(receipt.queue, receipt.queueOffset)
/// }
/// ```
///
/// A long-lived client should also have ``run()`` running, as a service or in a task: it refreshes routes before they
/// are needed, and brokers hear of the client's groups from it.
///
/// ## Topics
///
/// ### Sending
/// - ``send(_:)-(Message)``
/// - ``send(_:)-([Message])``
/// - ``send(_:orderedBy:)``
/// - ``send(_:to:)``
/// - ``sendOneWay(_:)``, ``sendOneWay(_:orderedBy:)``, ``sendOneWay(_:to:)``
/// - ``TransactionProducer``
///
/// ### Reading
/// - ``pull(_:from:maximumCount:tags:group:waitingUpTo:)``
/// - ``minimumOffset(of:)``, ``maximumOffset(of:)``, ``offset(of:at:)``
///
/// ### Consuming
/// - ``PushConsumer``, ``ConsumerConfiguration``, ``ConsumeOutcome``
///
/// ### Finding messages
/// - ``message(offsetID:)``
/// - ``messages(topic:key:maximumCount:from:to:)``
/// - ``messages(topic:uniqueID:)``
///
/// ### Administration
/// - ``clusterTopology()``, ``topicRoute(_:)``, ``topicNames()``
/// - ``createTopic(_:onBroker:)``, ``deleteTopic(_:inCluster:)``
/// - ``topicStatistics(_:)``, ``consumerProgress(group:topic:)``
public final class MQClient: Sendable {
    struct State {
        var routes = RouteTable()
        /// Index of the name server that answered last.
        var nameServer = 0
        /// Grows by one with every queue chosen.
        var rotation = 0
    }

    public let configuration: MQClientConfiguration
    let remoting: RemotingClient
    let ids: UniqueIDGenerator
    let presence: Presence
    let state: Mutex<State>

    /// Opens nothing yet: connections are made when they are first needed.
    public init(_ configuration: MQClientConfiguration) {
        var remotingConfiguration = RemotingClientConfiguration()
        remotingConfiguration.connectTimeout = configuration.connectTimeout
        remotingConfiguration.requestTimeout = configuration.requestTimeout
        self.configuration = configuration
        let presence = Presence(logger: configuration.logger)
        self.presence = presence
        remoting = RemotingClient(remotingConfiguration, group: .singleton, logger: configuration.logger) {
            presence.take($0, on: $1)
        }
        ids = UniqueIDGenerator(ip: LocalMachine.address, processID: LocalMachine.processID, time: configuration.time)
        state = Mutex(State())
        let start = Int.random(in: 0..<1000)
        state.withLock { state in
            state.nameServer = start
            state.rotation = start
        }
    }

    /// Makes a client for the duration of `body`, and shuts it down whatever happens.
    public static func with<Value>(
        _ configuration: MQClientConfiguration,
        _ body: (MQClient) async throws -> Value
    ) async throws -> Value {
        let client = MQClient(configuration)
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Closes all connections. What still waits for an answer fails with ``MQClientError/Code/closed``.
    public func shutdown() async {
        await remoting.shutdown()
    }
}
