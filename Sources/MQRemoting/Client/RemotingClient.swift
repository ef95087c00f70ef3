package import Logging
package import MQProtocol
package import NIOCore
package import NIOPosix
import NIOSSL
import Synchronization

/// Sends requests: one connection per address, shared by everyone, opened on first use and again after a failure.
package final class RemotingClient: Sendable {
    private enum Link {
        case connecting(EventLoopFuture<ConnectionHandle>)
        case connected(ConnectionHandle)
    }

    private struct State {
        var links: [String: Link] = [:]
        var open: [ConnectionHandle: any Channel] = [:]
        var isClosed = false
    }

    private let configuration: RemotingClientConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger
    private let onRequest: @Sendable (Frame, Connection) -> Void
    private let opaques = OpaqueSource()
    private let tls: Result<NIOSSLContext?, RemotingError>
    private let state = Mutex(State())

    /// - Parameter onRequest: receives the peer's own requests, on the event loop of their connection; it answers
    ///   two-way ones. By default they are answered with code 3.
    package init(
        _ configuration: RemotingClientConfiguration = RemotingClientConfiguration(),
        group: MultiThreadedEventLoopGroup,
        logger: Logger,
        onRequest: @escaping @Sendable (Frame, Connection) -> Void = RemotingClient.refuse
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.onRequest = onRequest
        self.tls = Result { () throws(RemotingError) in try configuration.tls.makeContext() }
    }

    /// Answers that this peer serves no such request.
    package static func refuse(_ request: Frame, on connection: Connection) {
        let remark = " request type \(request.code) not supported"
        connection.reply(to: request.replyTo, .requestCodeNotSupported, remark: remark)
    }

    /// - Parameters:
    ///   - address: `host:port`; `[host]:port` for IPv6.
    ///   - timeout: for the response, from the moment the connection is open. Default: the configuration's.
    /// - Returns: the response, whatever its code.
    /// - Throws: every code of `RemotingError` except those of servers.
    package func request(
        to address: String,
        _ code: RequestCode,
        header: some CommandHeader = EmptyHeader(),
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        timeout: Duration? = nil
    ) async throws(RemotingError) -> Frame {
        let timeout = timeout ?? configuration.requestTimeout
        let connection = try await connection(to: address)
        do {
            return try await connection.request(code, header: header, body: body, extra: extra, timeout: timeout)
        } catch {
            // The connection closed in the moment it was taken: nothing was sent, once more on a new one.
            guard error.code == .notSent else { throw error }
            unlink(connection, from: address)
        }
        return try await self.connection(to: address)
            .request(code, header: header, body: body, extra: extra, timeout: timeout)
    }

    /// Returns when the request was handed to an open connection.
    package func oneWay(
        to address: String,
        _ code: RequestCode,
        header: some CommandHeader = EmptyHeader(),
        body: ByteBuffer? = nil,
        extra: [(String, String)] = []
    ) async throws(RemotingError) {
        let connection = try await connection(to: address)
        connection.onLoop { $0.sendOneWay(code, header: header, body: body, extra: extra) }
    }

    /// The shared connection to `address`, opened if needed. Its ``ConnectionHandle/onLoop(_:)`` is the fast path:
    /// any number of ``Connection/request(_:header:body:extra:timeout:)`` made on the event loop leave in one flush.
    package func connection(to address: String) async throws(RemotingError) -> ConnectionHandle {
        let (link, opening) = try prepareLink(to: address)
        if case .connected(let handle) = link { return handle }
        if let opening {
            open(address, completing: opening)
        }
        guard case .connecting(let future) = link else { preconditionFailure("a link is connected or connecting") }
        do {
            return try await Self.value(of: future)
        } catch is CancellationError {
            throw RemotingError(.cancelled, "waiting for the connection to \(address) was cancelled", address: address)
        } catch {
            throw ConnectionFailure.connecting(error, to: address, within: configuration.connectTimeout)
        }
    }

    /// Waits until the task is cancelled at most; for others the connection is opened all the same.
    private static func value(of future: EventLoopFuture<ConnectionHandle>) async throws -> ConnectionHandle {
        let promise = future.eventLoop.makePromise(of: ConnectionHandle.self)
        future.cascade(to: promise)
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// A connection of its own, shared with nobody.
    package func openConnection(to address: String) async throws(RemotingError) -> ConnectionHandle {
        do {
            return try await connect(to: address, on: group.next()).get()
        } catch {
            throw ConnectionFailure.connecting(error, to: address, within: configuration.connectTimeout)
        }
    }

    /// Ends all pending requests with `disconnected`, closes all connections and opens no more.
    package func shutdown() async {
        let channels = state.withLock { state in
            state.isClosed = true
            state.links.removeAll()
            return state.open
        }
        for (handle, channel) in channels {
            handle.close()
            try? await channel.closeFuture.get()
        }
    }

    // MARK: Links

    /// - Returns: the link, and the promise to complete when the caller is the one who has to open it.
    private func prepareLink(
        to address: String
    ) throws(RemotingError) -> (Link, EventLoopPromise<ConnectionHandle>?) {
        try state.withLock { state throws(RemotingError) in
            guard !state.isClosed else {
                throw RemotingError(.closed, "this client was shut down", address: address)
            }
            if let link = state.links[address] {
                return (link, nil)
            }
            let promise = group.next().makePromise(of: ConnectionHandle.self)
            let link = Link.connecting(promise.futureResult)
            state.links[address] = link
            return (link, promise)
        }
    }

    private func open(_ address: String, completing promise: EventLoopPromise<ConnectionHandle>) {
        connect(to: address, on: promise.futureResult.eventLoop).whenComplete { [self] result in
            state.withLock { state in
                switch result {
                case .success(let handle):
                    // Absent already when the connection closed at once.
                    state.links[address] = state.open[handle] == nil ? nil : .connected(handle)
                case .failure:
                    state.links[address] = nil
                }
            }
            promise.completeWith(result)
        }
    }

    private func connect(to address: String, on eventLoop: any EventLoop) -> EventLoopFuture<ConnectionHandle> {
        do {
            let peer = try PeerAddress(address)
            let context = try tls.get()
            let high = max(1, configuration.connection.outputHighWaterBytes)
            return ClientBootstrap(group: eventLoop)
                .connectTimeout(TimeAmount(configuration.connectTimeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 64 * 1024)
                )
                .channelOption(.writeBufferWaterMark, value: .init(low: max(1, high / 2), high: high))
                .connect(host: peer.host, port: peer.port)
                .flatMapThrowing { [self] channel in
                    try attach(channel, address: address, host: peer.host, tls: context)
                }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    /// Builds the pipeline of a connection that was just opened. On its event loop.
    private func attach(
        _ channel: any Channel,
        address: String,
        host: String,
        tls: NIOSSLContext?
    ) throws -> ConnectionHandle {
        let turn = EventLoopTurn(eventLoop: channel.eventLoop)
        let connection = Connection(
            channel: channel,
            turn: turn,
            limits: configuration.connection,
            readsWhileOutputIsHigh: true,
            closesOnSilence: true,
            encoding: configuration.encoding,
            opaques: opaques
        )
        let handle = connection.handle
        let isClosed = state.withLock { state in
            state.open[handle] = channel
            return state.isClosed
        }
        let handler = ConnectionHandler(
            connection: connection,
            handler: ClientRequests(onRequest: onRequest),
            doorway: nil,
            logger: logger
        ) { [self] _ in forget(handle, address: address) }
        if let tls {
            try channel.pipeline.syncOperations.addHandler(clientHandler(tls, host: host))
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        if isClosed {
            connection.close()
        }
        return handle
    }

    /// Sends the server name only for names: an address is not allowed there.
    private func clientHandler(_ tls: NIOSSLContext, host: String) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
    }

    private func forget(_ handle: ConnectionHandle, address: String) {
        state.withLock { $0.open[handle] = nil }
        unlink(handle, from: address)
    }

    /// A connection that was closed on this side may take its time to end: TLS waits for a peer that may be dead.
    private func unlink(_ handle: ConnectionHandle, from address: String) {
        state.withLock { state in
            if case .connected(let current) = state.links[address], current == handle {
                state.links[address] = nil
            }
        }
    }
}
