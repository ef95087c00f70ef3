package import Logging
package import MQProtocol
import NIOCore
package import NIOPosix
import Synchronization

/// Accepts connections and feeds their requests to one `Handler` per event loop.
package final class RemotingServer<Handler: RequestHandler>: Sendable {
    private typealias Loops = [ObjectIdentifier: NIOLoopBound<ServerLoop<Handler>>]

    private enum State {
        case initial
        case listening(any Channel, Loops)
        case closed
    }

    /// Counts of everything that happened to connections so far.
    package let counters = ConnectionCounters()

    private let configuration: RemotingServerConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger
    private let makeHandler: @Sendable (EventLoopTurn) -> Handler
    private let opaques = OpaqueSource()
    private let state = Mutex(State.initial)

    /// - Parameter makeHandler: called once per event loop of `group`, on that loop.
    package init(
        _ configuration: RemotingServerConfiguration,
        group: MultiThreadedEventLoopGroup,
        logger: Logger,
        makeHandler: @escaping @Sendable (EventLoopTurn) -> Handler
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.makeHandler = makeHandler
    }

    /// Starts to listen. Call once.
    /// - Returns: the address really listened on.
    /// - Throws: `portInUse`, `bindFailed`, `tls`, `configuration`.
    package func bind() async throws(RemotingError) -> HostAddress {
        try configuration.validate()
        let doorway = TLSDoorway(mode: configuration.tls.mode, context: try configuration.tls.makeContext())
        let address = "\(configuration.host):\(configuration.port)"
        do {
            let loops = try await makeLoops()
            let channel = try await bootstrap(loops, doorway: doorway)
                .bind(host: configuration.host, port: configuration.port).get()
            state.withLock { $0 = .listening(channel, loops) }
            return channel.localAddress.flatMap { HostAddress($0) } ?? HostAddress(ip: .v4(0), port: 0)
        } catch {
            throw ConnectionFailure.binding(error, to: address)
        }
    }

    /// Stops accepting and reading, lets requests in flight be answered for at most `drain`, flushes, closes.
    /// Parked requests are dropped.
    package func shutdown(drain: Duration) async {
        let previous = state.withLock { state in
            defer { state = .closed }
            return state
        }
        guard case .listening(let channel, let loops) = previous else { return }
        try? await channel.close().get()
        let drained = loops.values.map { loop in
            loop.eventLoop.flatSubmit {
                let future = loop.value.drain()
                let deadline = loop.eventLoop.scheduleTask(in: TimeAmount(drain)) { loop.value.closeAll() }
                future.whenComplete { _ in deadline.cancel() }
                return future
            }
        }
        for future in drained {
            try? await future.get()
        }
    }

    private func makeLoops() async throws -> Loops {
        var loops: Loops = [:]
        for eventLoop in group.makeIterator() {
            let makeHandler = makeHandler
            loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                NIOLoopBound(ServerLoop(eventLoop: eventLoop, makeHandler: makeHandler), eventLoop: eventLoop)
            }.get()
        }
        return loops
    }

    private func bootstrap(_ loops: Loops, doorway: TLSDoorway) -> ServerBootstrap {
        let limits = configuration.connection
        let receive = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 64 * 1024)
        let high = max(1, limits.outputHighWaterBytes)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(clamping: configuration.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: receive)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: max(1, high / 2), high: high))
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel, loops: loops, doorway: doorway) }
            }
    }

    private func accept(_ channel: any Channel, loops: Loops, doorway: TLSDoorway) throws {
        guard counters.opened(maximum: configuration.maximumConnections) else {
            let peer = channel.remoteAddress.map { "\($0)" } ?? "unknown"
            let message = "\(configuration.maximumConnections) connections are open, which is the limit"
            logger.notice("connection refused", metadata: ["peer": "\(peer)", "reason": "\(message)"])
            throw RemotingError(.closed, message, address: peer)
        }
        channel.closeFuture.whenComplete { [counters] _ in counters.closed() }
        guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
            preconditionFailure("a connection was accepted on an event loop of another group")
        }
        try loop.value.add(
            channel,
            limits: configuration.connection,
            opaques: opaques,
            doorway: doorway,
            logger: logger
        )
    }
}
