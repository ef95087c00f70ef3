import Foundation
import Logging
import MQBroker
import MQClient
import MQNameServer
import MQProtocol
import MQRemoting
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A name server and a broker in this process, on loopback, with a store of their own; the broker can be restarted.
final class LiveCluster: Sendable {
    private struct State {
        var broker: BrokerService?
        var serving: Task<Void, Never>?
        /// The same after a restart.
        var port = 0
    }

    let nameServer: String
    private let directory: URL
    private let delayLevels: String
    private let state = Mutex(State())

    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// - Parameter delayLevels: of the broker, so that retries come soon. Default: 1 s each.
    static func with(
        delayLevels: String = "1s 1s 1s 1s 1s", _ body: (LiveCluster) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("cluster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        var configuration = NameServerConfiguration()
        configuration.server.port = 0
        configuration.keyValueFile = directory.appendingPathComponent("kvConfig.json").path
        let server = try NameServer(configuration, group: .singleton, logger: quiet)
        let address = try await server.start()
        let serving = Task { try? await server.run() }
        let cluster = LiveCluster(nameServer: address, directory: directory, delayLevels: delayLevels)
        do {
            try await cluster.startBroker()
            try await body(cluster)
        } catch {
            await cluster.stopBroker()
            serving.cancel()
            _ = await serving.result
            throw error
        }
        await cluster.stopBroker()
        serving.cancel()
        _ = await serving.result
    }

    private init(nameServer: String, directory: URL, delayLevels: String) {
        self.nameServer = nameServer
        self.directory = directory
        self.delayLevels = delayLevels
    }

    var brokerAddress: String { state.withLock { $0.broker.map { "\($0.address)" } ?? "" } }

    func startBroker() async throws {
        var configuration = BrokerConfiguration()
        configuration.brokerName = "a"
        configuration.nameServers = [nameServer]
        configuration.delayLevels = delayLevels
        configuration.network.listenPort = state.withLock { $0.port }
        configuration.storage.directory = directory.appendingPathComponent("store").path
        configuration.storage.synchronousFlush = false
        configuration.storage.segmentBytes = 64 << 20
        configuration.storage.queueSegmentBytes = 200_000
        configuration.storage.indexSlots = 1000
        configuration.storage.indexEntries = 4000
        let broker = try await BrokerService.start(configuration, group: .singleton, logger: Self.quiet)
        let serving = Task { () -> Void in try? await broker.run() }
        state.withLock { $0 = State(broker: broker, serving: serving, port: Int(broker.address.port)) }
    }

    func stopBroker() async {
        let serving = state.withLock { state in
            defer { state.serving = nil }
            return state.serving
        }
        serving?.cancel()
        await serving?.value
    }

    func client(_ id: String? = nil) throws -> MQClient {
        var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(nameServer))
        if let id { configuration.clientID = id }
        configuration.logger = Self.quiet
        return MQClient(configuration)
    }

    func createTopic(_ name: String, queues: Int32 = 4) async throws {
        let client = try client()
        try await client.createTopic(
            TopicConfiguration(name: name, readQueues: queues, writeQueues: queues), onBroker: brokerAddress)
        await client.shutdown()
    }
}

/// A consumer with a client of its own, as a process of its own would have them.
final class LiveConsumer: Sendable {
    let client: MQClient
    let consumer: PushConsumer
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    init(_ consumer: PushConsumer, of client: MQClient) {
        self.client = client
        self.consumer = consumer
        let group = ServiceGroup(services: [client, consumer], logger: LiveCluster.quiet)
        self.group = group
        running = Task { try await group.run() }
    }

    /// As SIGTERM does.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
        await client.shutdown()
    }

    /// As the end of a task does: nothing is waited for but the leave from the brokers.
    func cancel() async -> Result<Void, any Error> {
        running.cancel()
        return await end()
    }

    /// As SIGKILL does: the brokers see nothing but the end of the connections.
    func kill() async {
        await client.shutdown()
        running.cancel()
        _ = await running.result
    }

    /// What ended it by itself.
    func end() async -> Result<Void, any Error> {
        let result = await running.result
        await client.shutdown()
        return result
    }
}

/// What handlers were given, in order; and who waits for more of it.
final class Deliveries: Sendable {
    struct Delivery: Sendable {
        var message: ReceivedMessage
        var queue: MessageQueue
        var consumer: String
    }

    private struct State {
        var all: [Delivery] = []
        var waiters: [(isMet: @Sendable ([Delivery]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var all: [Delivery] { state.withLock { $0.all } }
    var texts: [String] { all.map(\.message.text) }

    func add(_ messages: [ReceivedMessage], _ queue: MessageQueue, by consumer: String = "") {
        let met = state.withLock { state in
            state.all += messages.map { Delivery(message: $0, queue: queue, consumer: consumer) }
            let all = state.all
            let met = state.waiters.filter { $0.isMet(all) }
            if !met.isEmpty { state.waiters.removeAll { $0.isMet(all) } }
            return met
        }
        for waiter in met { waiter.continuation.resume() }
    }

    /// Returns when it is met, or the test's time is over.
    func wait(until isMet: @escaping @Sendable ([Delivery]) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if isMet(state.all) || Task.isCancelled { return true }
                    state.waiters.append((isMet, continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.continuation.resume() }
        }
    }

    func wait(forCount count: Int) async {
        await wait { $0.count >= count }
    }
}

/// Holds whoever comes until it is opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

extension LiveCluster {
    /// Starts a consumer of `topic` whose deliveries are recorded before `outcomes` is asked.
    func consume(
        _ topic: String, as name: String? = nil, into deliveries: Deliveries,
        _ change: (inout ConsumerConfiguration) -> Void = { _ in },
        outcomes: @escaping @Sendable ([ReceivedMessage], MessageQueue) async -> [ConsumeOutcome] = { messages, _ in
            messages.map { _ in .consumed }
        }
    ) throws -> LiveConsumer {
        let client = try client(name)
        var configuration = ConsumerConfiguration(group: "group-of-\(topic)")
        configuration.subscriptions = [topic: "*"]
        configuration.start = .firstOffset
        change(&configuration)
        let consumer = try PushConsumer(client, configuration) { messages, queue in
            deliveries.add(messages, queue, by: name ?? "")
            return await outcomes(messages, queue)
        }
        return LiveConsumer(consumer, of: client)
    }

    /// Sends messages with the texts `prefix0`, `prefix1`, …: few ones by themselves, number n to queue n modulo the
    /// number of queues; many in batches to the queues in turn.
    func send(
        _ count: Int, to topic: String, prefix: String = "", from first: Int = 0, tag: String? = nil
    ) async throws {
        let client = try client()
        let queues = try await client.publishQueues(topic)
        let messages = (first..<(first + count)).map { number in
            var message = Message(topic: topic, body: "\(prefix)\(number)")
            message.tag = tag
            return message
        }
        if count <= 100 {
            for (index, message) in messages.enumerated() {
                _ = try await client.send(message, to: queues[(first + index) % queues.count])
            }
        } else {
            for start in stride(from: 0, to: count, by: 100) {
                _ = try await client.send(Array(messages[start..<min(start + 100, count)]))
            }
        }
        await client.shutdown()
    }
}
