import Logging
import NIOCore

/// What one event loop of a server owns: its request handler, its turn, its connections.
final class ServerLoop<Handler: RequestHandler> {
    let turn: EventLoopTurn
    let handler: Handler
    private var connections: [UInt64: Connection] = [:]
    private var drained: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop, makeHandler: (EventLoopTurn) -> Handler) {
        turn = EventLoopTurn(eventLoop: eventLoop)
        let handler = makeHandler(turn)
        self.handler = handler
        turn.onEnd = { [weak handler] in handler?.turnEnded() }
    }

    func add(
        _ channel: any Channel,
        limits: ConnectionLimits,
        opaques: OpaqueSource,
        doorway: TLSDoorway,
        logger: Logger
    ) throws {
        guard drained == nil else {
            throw RemotingError(.closed, "the server is shutting down")
        }
        let connection = Connection(
            channel: channel,
            turn: turn,
            limits: limits,
            readsWhileOutputIsHigh: false,
            opaques: opaques
        )
        let handler = ConnectionHandler(
            connection: connection,
            handler: handler,
            doorway: doorway,
            logger: logger
        ) { [self] in remove($0) }
        connections[connection.id] = connection
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// - Returns: fulfilled when no connection is left.
    func drain() -> EventLoopFuture<Void> {
        let promise = drained ?? turn.eventLoop.makePromise()
        drained = promise
        for connection in connections.values {
            connection.drain()
        }
        completeIfEmpty()
        return promise.futureResult
    }

    func closeAll() {
        for connection in connections.values {
            connection.close()
        }
    }

    private func remove(_ connection: Connection) {
        connections[connection.id] = nil
        completeIfEmpty()
    }

    private func completeIfEmpty() {
        if connections.isEmpty {
            drained?.succeed()
        }
    }
}
