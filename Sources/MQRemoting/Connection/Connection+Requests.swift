package import MQProtocol
package import NIOCore

extension Connection {
    /// Sends a request to the peer; `completion` is called once, on this event loop.
    package func request(
        _ code: RequestCode,
        header: some CommandHeader,
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        timeout: Duration,
        completion: @escaping ResponseCallback
    ) {
        let pending = PendingRequest(code: code, timeout: timeout, sent: eventLoop.now, complete: completion)
        send(pending, opaque: opaques.next(), header: header, body: body, extra: extra)
    }

    package func request(
        _ code: RequestCode,
        header: some CommandHeader,
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        timeout: Duration
    ) -> EventLoopFuture<Frame> {
        let promise = eventLoop.makePromise(of: Frame.self)
        request(code, header: header, body: body, extra: extra, timeout: timeout) { result in
            promise.completeWith(result.mapError { $0 as any Error })
        }
        return promise.futureResult
    }

    /// Sends a request that is never answered. Dropped when the connection is closed.
    package func sendOneWay(
        _ code: RequestCode,
        header: some CommandHeader,
        body: ByteBuffer? = nil,
        extra: [(String, String)] = []
    ) {
        guard isOpen else { return }
        append { buffer in
            buffer.writeRequest(
                code,
                opaque: opaques.next(),
                oneWay: true,
                encoding: encoding,
                header: header,
                body: body,
                extra: extra
            )
        }
    }

    func send(
        _ pending: PendingRequest,
        opaque: Int32,
        header: some CommandHeader,
        body: ByteBuffer?,
        extra: [(String, String)]
    ) {
        guard isOpen else {
            pending.complete(.failure(notSent(pending.code)))
            return
        }
        append { buffer in
            buffer.writeRequest(
                pending.code,
                opaque: opaque,
                oneWay: false,
                encoding: encoding,
                header: header,
                body: body,
                extra: extra
            )
        }
        let displaced = table.insert(pending, opaque: opaque, deadline: pending.sent + TimeAmount(pending.timeout))
        displaced.map { $0.complete(.failure(timedOut($0))) }
        armTimer()
    }

    /// A response that nobody waits for any more is dropped: its request timed out or was cancelled.
    func responseArrived(_ response: Frame) {
        table.remove(opaque: response.opaque)?.complete(.success(response))
    }

    func cancelRequest(opaque: Int32) {
        guard let pending = table.remove(opaque: opaque) else { return }
        let message = "waiting for the response of \(remoteAddress) to request \(pending.code.rawValue) was cancelled"
        pending.complete(.failure(RemotingError(.cancelled, message, address: "\(remoteAddress)")))
    }

    /// Ends every wait, after the connection did.
    func failRequests() {
        for pending in table.removeAll() {
            pending.complete(.failure(disconnected(pending)))
        }
    }

    /// A peer that sends nothing at all while a request's time passes is taken for dead: nothing else would notice, as
    /// whatever is written to it counts as activity. One that sends anything is alive and only slow with this answer.
    func expireRequests(now: NIODeadline) {
        let expired = table.expire(now: now)
        // Before anybody hears of it: who asks again at once asks on a new connection.
        if closesOnSilence, let last = expired.last(where: { lastRead <= $0.sent }) {
            let reason = "nothing came from \(remoteAddress) for the \(last.timeout) that a request waited"
            close(RemotingError(.closed, reason, address: "\(remoteAddress)"))
        }
        for pending in expired {
            pending.complete(.failure(timedOut(pending)))
        }
    }

    private func notSent(_ code: RequestCode) -> RemotingError {
        let message = "request \(code.rawValue) was not sent: the connection to \(remoteAddress) had just been closed"
        return RemotingError(.notSent, message, address: "\(remoteAddress)", cause: closeReason)
    }

    private func timedOut(_ pending: PendingRequest) -> RemotingError {
        let message =
            "\(remoteAddress) did not answer request \(pending.code.rawValue) within \(pending.timeout); "
            + "it may still have acted on it"
        return RemotingError(.requestTimedOut, message, address: "\(remoteAddress)")
    }

    private func disconnected(_ pending: PendingRequest) -> RemotingError {
        let reason = closeReason?.message ?? "the peer closed the connection"
        let message =
            "request \(pending.code.rawValue) to \(remoteAddress) got no answer: \(reason); "
            + "the peer may still have acted on it"
        return RemotingError(.disconnected, message, address: "\(remoteAddress)", cause: closeReason)
    }
}
