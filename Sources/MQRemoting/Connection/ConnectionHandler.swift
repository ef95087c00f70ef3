import Logging
import MQProtocol
import NIOCore

/// The last handler of a connection's pipeline: bytes in, frames to the request handler or to who waits for a response.
///
/// Frames are slices of the bytes as they were read. Only an incomplete frame's bytes are copied, once, when more of
/// them arrive; the buffer grows with what was received, never by what a length word announces.
final class ConnectionHandler<Handler: RequestHandler>: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let connection: Connection
    private let handler: Handler
    private let logger: Logger
    private let onEnd: (Connection) -> Void
    /// Decides about the first bytes; `nil` once they are seen.
    private var doorway: TLSDoorway?
    private let decoder: FrameDecoder
    private(set) var received = ByteBuffer()
    private var isDecoding = false
    private var isReadWithheld = false
    private var isAnnounced = false
    private var isOver = false

    /// - Parameter onEnd: called once when the connection is over, after the handler was told.
    init(
        connection: Connection,
        handler: Handler,
        doorway: TLSDoorway?,
        logger: Logger,
        onEnd: @escaping (Connection) -> Void
    ) {
        self.connection = connection
        self.handler = handler
        self.doorway = doorway
        self.decoder = FrameDecoder(maximumFrameBytes: connection.limits.maximumFrameBytes)
        self.logger = logger
        self.onEnd = onEnd
    }

    func handlerAdded(context: ChannelHandlerContext) {
        connection.context = context
        connection.resume = { [unowned self] in self.resumeReading() }
        if context.channel.isActive {
            announce()
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        announce()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard connection.isOpen else { return }
        var bytes = unwrapInboundIn(data)
        if doorway != nil, !passDoorway(&bytes, context: context) {
            return
        }
        accumulate(&bytes)
        connection.lastRead = connection.eventLoop.now
        connection.watch.active(now: connection.lastRead)
        decode()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isHigh = !context.channel.isWritable
        connection.intake.isOutputHigh = isHigh
        connection.watch.outputChanged(isHigh: isHigh, now: connection.eventLoop.now)
        connection.armTimer()
        connection.markDirty()
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if connection.intake.mayRead {
            context.read()
        } else {
            isReadWithheld = true
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = ConnectionFailure.reason(error, peer: "\(connection.remoteAddress)")
        connection.close(reason)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    private func announce() {
        guard !isAnnounced, !isOver else { return }
        isAnnounced = true
        connection.armTimer()
        handler.connectionOpened(connection)
    }

    private func end() {
        guard !isOver else { return }
        isOver = true
        if let reason = connection.closeReason {
            logger.debug("connection ended", metadata: ["peer": "\(connection.remoteAddress)", "reason": "\(reason)"])
        }
        received = ByteBuffer()
        connection.released()
        connection.failRequests()
        // A connection may end before it was ever active: the handler then never heard of it.
        if isAnnounced {
            handler.connectionClosed(connection)
            connection.turn.requestEnd()
        }
        onEnd(connection)
    }

    // MARK: First bytes

    /// - Returns: false when the bytes are not for the frame decoder.
    private func passDoorway(_ bytes: inout ByteBuffer, context: ChannelHandlerContext) -> Bool {
        guard let doorway, let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return false }
        self.doorway = nil
        do {
            guard let tls = try doorway.enter(firstByte: first) else { return true }
            try context.pipeline.syncOperations.addHandler(tls, position: .before(self))
            context.pipeline.fireChannelRead(bytes)
        } catch {
            let reason = ConnectionFailure.reason(error, peer: "\(connection.remoteAddress)")
            logger.notice(
                "connection refused", metadata: ["peer": "\(connection.remoteAddress)", "reason": "\(reason)"])
            connection.close(reason)
        }
        return false
    }

    // MARK: Frames

    private func accumulate(_ bytes: inout ByteBuffer) {
        if received.readableBytes == 0 {
            received = bytes
        } else {
            received.writeBuffer(&bytes)
        }
    }

    private func decode() {
        // A handler that replies may lift a limit and so come back here: the outer loop goes on instead.
        guard !isDecoding else { return }
        isDecoding = true
        defer { isDecoding = false }
        let isNew: Bool
        do {
            isNew = try takeFrames()
        } catch {
            refuse(error)
            return
        }
        let isPartial = received.readableBytes > 0 && connection.intake.mayRead
        connection.watch.decoded(isPartial: isPartial, isNew: isNew, now: connection.eventLoop.now)
        if isPartial {
            keepPart()
            connection.armTimer()
        } else if received.readableBytes == 0 {
            received = ByteBuffer()
        }
    }

    /// Hands on what is complete, as far as the limits allow.
    ///
    /// Bytes and frame are local meanwhile: the compiler then need not watch over every look at them.
    ///
    /// - Returns: whether there was a complete frame.
    private func takeFrames() throws(FrameError) -> Bool {
        var bytes = ByteBuffer()
        swap(&bytes, &received)
        defer {
            // More may have come in between, or the connection ended and keeps nothing.
            if received.readableBytes > 0 { bytes.writeBuffer(&received) }
            if !isOver { swap(&bytes, &received) }
        }
        var decoder = decoder
        var frame = Frame(code: 0)
        var isNew = false
        while connection.isOpen, connection.intake.mayRead {
            guard try decoder.next(from: &bytes, into: &frame) else { break }
            isNew = true
            take(frame)
        }
        return isNew
    }

    /// Moves an incomplete frame to a buffer of its own size when it stands in a much larger one, or behind frames that
    /// may still be in use: a connection that never completes its frame keeps little memory.
    private func keepPart() {
        let size = received.readableBytes
        guard received.readerIndex > 0 || received.storageCapacity > 2 * size + 4096 else { return }
        var part = ByteBuffer()
        part.reserveCapacity(size)
        part.writeBuffer(&received)
        received = part
    }

    private func take(_ frame: Frame) {
        if frame.isResponse {
            connection.responseArrived(frame)
            return
        }
        if !frame.isOneWay {
            connection.intake.began()
        }
        connection.turn.requestEnd()
        handler.handle(frame, on: connection)
        connection.turn.requestHandled()
    }

    private func refuse(_ error: FrameError) {
        let peer = "\(connection.remoteAddress)"
        let message = "\(peer) sent something that is no frame: \(error.message)"
        logger.info("connection closed", metadata: ["peer": "\(peer)", "reason": "\(message)"])
        received = ByteBuffer()
        connection.close(RemotingError(.protocolViolation, message, address: peer, cause: error))
    }

    private func resumeReading() {
        guard connection.isOpen, connection.intake.mayRead else { return }
        if received.readableBytes > 0 {
            decode()
        }
        if isReadWithheld, connection.isOpen, connection.intake.mayRead {
            isReadWithheld = false
            connection.context?.read()
        }
    }
}
