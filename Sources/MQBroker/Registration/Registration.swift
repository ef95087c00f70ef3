import Logging
package import MQProtocol
import MQRemoting
package import NIOCore
package import NIOPosix
import Synchronization

/// Keeps the name servers informed about this broker: at start, every 30 s, and soon after a topic changed.
///
/// Each name server has a loop of its own, so that one that does not answer delays no other. A failure is logged and
/// tried again soon; it never stops the broker.
package final class Registration: Sendable {
    /// A clean goodbye waits this long for each name server.
    private static let goodbyeTimeout = Duration.seconds(3)
    private static let periods: ClosedRange<Duration> = Duration.seconds(10)...Duration.seconds(60)
    /// A name server that did not take it, which may be starting, is tried again so soon.
    private static let pauseAfterFailure = Duration.seconds(5)

    private let broker: Broker
    /// What clients connect to.
    package let address: HostAddress
    private let servers: [String]
    private let client: RemotingClient
    private let alarms: [Alarm]
    /// What each name server lists as order topics; see ``takeOrderTopics(_:from:)``.
    private let orderTopics: Mutex<[Set<String>]>
    private let progress: Mutex<RegistrationProgress<EventLoopPromise<Void>>>

    /// `address` is what is listened on; its port and the broker's advertised host are what clients connect to.
    package init(_ broker: Broker, address: HostAddress, group: MultiThreadedEventLoopGroup) {
        let configuration = broker.settings.configuration
        let servers = configuration.nameServers
        self.broker = broker
        self.address = HostAddress(ip: broker.advertisedHost.ip, port: address.port)
        self.servers = servers
        self.client = RemotingClient(configuration.registrationClient, group: group, logger: broker.logger)
        self.alarms = servers.map { _ in Alarm() }
        self.orderTopics = Mutex(servers.map { _ in [] })
        self.progress = Mutex(RegistrationProgress(serverCount: servers.count))
        broker.topics.observe(
            TopicTable.Observer(
                changed: { [weak self] in self?.topicsChanged() },
                announced: { [weak self] in self?.announced(on: $0) ?? $0.makeSucceededVoidFuture() }
            )
        )
    }

    /// Tells the name servers about all topics soon; several calls in a row make one message.
    package func topicsChanged() {
        progress.withLock { $0.changed() }
        alarms.forEach { $0.ring() }
    }

    /// Completes when every name server heard of the changes so far, or was tried in vain.
    package func announced(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        if progress.withLock({ $0.wait(promise) }) { promise.succeed(()) }
        return promise.futureResult
    }

    /// Tries each name server once. Who sees the broker serve finds it there, if that can be.
    package func registerNow() async {
        await withTaskGroup(of: Void.self) { tasks in
            for index in servers.indices {
                tasks.addTask { _ = await self.register(at: index) }
            }
        }
    }

    /// Registers until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            for index in servers.indices {
                tasks.addTask { await self.keepRegistered(index) }
            }
        }
        progress.withLock { $0.end() }.forEach { $0.succeed(()) }
    }

    /// Leaves every name server and closes the connections to them.
    package func unregister() async {
        broker.topics.observe(nil)
        let configuration = broker.settings.configuration
        let header = UnregisterBrokerHeader(
            brokerName: configuration.brokerName, brokerAddress: "\(address)", clusterName: configuration.clusterName,
            brokerID: configuration.brokerID
        )
        await withTaskGroup(of: Void.self) { tasks in
            for server in servers {
                tasks.addTask { [client] in
                    _ = try? await client.request(
                        to: server, .unregisterBroker, header: header, timeout: Self.goodbyeTimeout
                    )
                }
            }
        }
        await client.shutdown()
    }

    private func keepRegistered(_ index: Int) async {
        var isRegistered = false
        while !Task.isCancelled {
            let change = progress.withLock { $0.changes }
            let wasRegistered = isRegistered
            isRegistered = await register(at: index)
            if isRegistered, !wasRegistered {
                let id = broker.settings.configuration.brokerID
                broker.logger.notice("register broker[\(id)]to name server \(servers[index]) OK")
            }
            progress.withLock { $0.attempted(index, change: change) }.forEach { $0.succeed(()) }
            let wanted = broker.settings.configuration.registration.period
            let period = min(max(wanted, Self.periods.lowerBound), Self.periods.upperBound)
            let next = broker.time.now().advanced(by: isRegistered ? period : Self.pauseAfterFailure)
            guard !progress.withLock({ $0.mustTell(index) }) else { continue }
            await alarms[index].wait(until: next, by: broker.time)
        }
    }

    /// - Returns: whether the name server took it.
    private func register(at index: Int) async -> Bool {
        let server = servers[index]
        let configuration = broker.settings.configuration
        do {
            let (body, isCompressed) = registrationBody(configuration)
            let response = try await client.request(
                to: server, .registerBroker,
                header: registrationHeader(configuration, body, isCompressed), body: body,
                timeout: configuration.registration.timeout
            )
            guard response.responseCode == .success else {
                throw RequestError(response.responseCode, response.remark ?? "code \(response.code)")
            }
            takeOrderTopics(response, from: index)
            return true
        } catch {
            broker.logger.warning("not registered at name server \(server), trying again: \(error)")
            return false
        }
    }

    /// A longer registration goes compressed, which every name server understands: plain, some 60,000 topics would be
    /// more than the longest frame.
    private static let maximumPlainBytes = 1 << 20

    private func registrationBody(_ configuration: BrokerConfiguration) -> (body: ByteBuffer, isCompressed: Bool) {
        var table = broker.topics.contents
        if !configuration.isReadable || !configuration.isWritable {
            for index in table.topics.indices { table.topics[index].perm = configuration.permission }
        }
        return Self.body(of: table, compressed: configuration.registration.compressed)
    }

    static func body(of table: TopicFile, compressed: Bool) -> (body: ByteBuffer, isCompressed: Bool) {
        let body = RegisterBrokerBody(dataVersion: table.version, topics: table.topics)
        if !compressed {
            let plain = body.encode()
            if plain.readableBytes <= maximumPlainBytes { return (plain, false) }
        }
        return (body.encodeCompressed(), true)
    }

    private func registrationHeader(
        _ configuration: BrokerConfiguration, _ body: ByteBuffer, _ isCompressed: Bool
    ) -> RegisterBrokerHeader {
        let host = configuration.network.replicationHost ?? address.host
        return RegisterBrokerHeader(
            brokerName: configuration.brokerName, brokerAddress: "\(address)", clusterName: configuration.clusterName,
            haServerAddress: "\(host):\(address.port + 1)", brokerID: configuration.brokerID,
            isCompressed: isCompressed, bodyCRC: bodyCRC(body.readableBytesUInt8Span)
        )
    }

    /// The table of order topics comes back with each registration; none when the name server has no such table.
    ///
    /// An order topic is one that any name server lists. Were the last answer believed, two that differ would each time
    /// bring a change, of which both are to be told.
    private func takeOrderTopics(_ response: Frame, from index: Int) {
        guard response.body.readableBytes > 0, let table = try? KVTable.decode(response.body) else { return }
        let all = orderTopics.withLock { topics in
            topics[index] = Set(table.table.keys)
            return topics.reduce(into: Set<String>()) { $0.formUnion($1) }
        }
        broker.topics.setOrderTopics(all)
    }
}
