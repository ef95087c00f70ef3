package import MQProtocol
package import NIOCore

/// A connection named from any thread. What is done through it reaches the connection on its event loop, and is dropped
/// when the connection is closed by then.
package struct ConnectionHandle: Sendable, Hashable {
    package let id: UInt64
    package let eventLoop: any EventLoop
    package let remoteAddress: HostAddress
    private let opaques: OpaqueSource
    private let bound: NIOLoopBound<Connection>

    init(_ connection: Connection) {
        self.id = connection.id
        self.eventLoop = connection.eventLoop
        self.remoteAddress = connection.remoteAddress
        self.opaques = connection.opaques
        self.bound = NIOLoopBound(connection, eventLoop: connection.eventLoop)
    }

    /// Runs `body` on the connection's event loop: at once when called there, else as a task of the loop. Not called
    /// when the connection is closed by then.
    package func onLoop(_ body: @escaping @Sendable (Connection) -> Void) {
        onLoopEvenIfClosed { connection in
            guard connection.isOpen else { return }
            body(connection)
        }
    }

    /// Sends a request that is never answered. Dropped when the connection is closed.
    package func oneWay(_ code: RequestCode, header: some CommandHeader, body: ByteBuffer? = nil) {
        onLoop { $0.sendOneWay(code, header: header, body: body) }
    }

    /// Sends a request and waits for its response. Cancelling the task ends the wait, not the request.
    /// - Throws: `notSent`, `disconnected`, `requestTimedOut`, `cancelled`.
    package func request(
        _ code: RequestCode,
        header: some CommandHeader,
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        timeout: Duration
    ) async throws(RemotingError) -> Frame {
        let opaque = opaques.next()
        // Always a later task of the loop, so that it never overtakes the request.
        let cancel: @Sendable () -> Void = { [bound] in
            bound.eventLoop.execute { bound.value.cancelRequest(opaque: opaque) }
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Frame, RemotingError>, Never>) in
                onLoopEvenIfClosed { connection in
                    let pending = PendingRequest(code: code, timeout: timeout, sent: connection.eventLoop.now) {
                        continuation.resume(returning: $0)
                    }
                    connection.send(pending, opaque: opaque, header: header, body: body, extra: extra)
                }
                // A task that was cancelled before it came here ran the cancellation before the request.
                if Task.isCancelled {
                    cancel()
                }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    package func close() {
        onLoop { $0.close() }
    }

    package static func == (left: ConnectionHandle, right: ConnectionHandle) -> Bool {
        left.id == right.id
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }

    private func onLoopEvenIfClosed(_ body: @escaping @Sendable (Connection) -> Void) {
        if eventLoop.inEventLoop {
            body(bound.value)
        } else {
            let bound = bound
            eventLoop.execute { body(bound.value) }
        }
    }
}
