package import MQProtocol
package import NIOCore

extension Connection {
    /// Appends the response to one request in flight and counts the request as answered. Leaves with the flush at the
    /// end of the turn. Dropped when the connection is closed.
    package func reply(_ write: (inout ByteBuffer) -> Void) {
        guard isOpen else { return }
        append(write)
        finish()
    }

    /// The same, for a body that is not copied when it is large: `writeHead` writes everything before it.
    package func reply(head writeHead: (inout ByteBuffer) -> Void, body: ByteBuffer) {
        guard isOpen else { return }
        append(writeHead)
        append(body: body)
        finish()
    }

    /// Answers `request`; a one-way request is left unanswered, as it must be.
    @inlinable
    package func reply(
        to request: ReplyTo,
        _ code: ResponseCode,
        remark: String? = nil,
        header: some CommandHeader,
        body: ByteBuffer? = nil
    ) {
        guard !request.isOneWay else { return }
        reply { $0.writeResponse(code, to: request, remark: remark, header: header, body: body) }
    }

    /// Answers `request` with no header fields.
    package func reply(to request: ReplyTo, _ code: ResponseCode, remark: String? = nil, body: ByteBuffer? = nil) {
        reply(to: request, code, remark: remark, header: EmptyHeader(), body: body)
    }

    /// Ends a two-way request in flight that is never answered.
    package func finishWithoutReply() {
        guard isOpen else { return }
        finish()
    }

    /// Counts a one-way request as in flight until ``endOneWay()``: for those whose work does not end in this turn,
    /// which a peer that waits for no answer could send without end.
    package func beginOneWay() {
        guard isOpen else { return }
        intake.began()
    }

    package func endOneWay() { finishWithoutReply() }

    /// Counts a request in flight as parked: it may stay so for long and does not keep the connection from being read.
    /// Call ``unpark()`` right before its reply.
    package func park() {
        guard isOpen else { return }
        intake.park()
        markDirty()
    }

    package func unpark() {
        intake.unpark()
    }

    /// False while the peer does not read what was sent to it: put off what can wait.
    package var isWritable: Bool { !intake.isOutputHigh }

    private func finish() {
        intake.finished()
        markDirty()
    }

    /// Takes no further requests and closes once those in flight are answered and their replies left. Parked requests
    /// are dropped: the peer asks again elsewhere.
    func drain() {
        intake.isDraining = true
        markDirty()
    }

    func closeIfDrained() {
        guard intake.isDraining, intake.inFlight == 0, isOpen, let context else { return }
        let written = eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        written.futureResult.whenComplete { _ in
            bound.value.close(RemotingError(.closed, "the connection to \(bound.value.remoteAddress) was shut down"))
        }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
    }
}
