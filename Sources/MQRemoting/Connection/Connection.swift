package import MQProtocol
package import NIOCore
import Synchronization

/// Receives the response, or the error that ended the wait. Called once, on the connection's event loop.
package typealias ResponseCallback = (Result<Frame, RemotingError>) -> Void

/// One end of a connection: replies to the peer's requests, requests to the peer. Confined to its event loop.
///
/// Output is appended to one buffer and leaves in one write and flush at the end of the event loop's turn.
package final class Connection {
    /// Unique in this process, never reused.
    package let id: UInt64
    package let eventLoop: any EventLoop
    package let remoteAddress: HostAddress
    /// The turn whose end flushes this connection.
    package let turn: EventLoopTurn
    /// False as soon as the connection is closed by either side; whatever is written then is dropped.
    package private(set) var isOpen = true
    /// Encoding of the headers of requests sent from here. Replies use the encoding of what they answer.
    package let encoding: HeaderEncoding

    let opaques: OpaqueSource
    let limits: ConnectionLimits
    var context: ChannelHandlerContext?
    /// Takes up reading again where a limit stopped it.
    var resume: (() -> Void)?
    var intake: Intake
    var watch: Watchdog
    var table = RequestTable<PendingRequest>()
    /// When bytes last came from the peer.
    var lastRead: NIODeadline
    /// Whether the peer owes an answer to every request: one that lets a request's time pass in silence is gone.
    let closesOnSilence: Bool
    /// Why the connection ended; the first reason stays.
    var closeReason: RemotingError?
    var timer: Scheduled<Void>?
    var timerDeadline: NIODeadline?
    private var outgoing = ByteBuffer()
    private var isFlushNeeded = false
    private var isDirty = false

    /// A longer body is handed to the socket as it is, a shorter one is copied behind its head.
    static let copiedBodyBytes = 16 * 1024
    /// Output is handed to the socket in pieces of about this size, so that the buffer never grows by copying much.
    static let pieceBytes = 256 * 1024
    /// A buffer that grew beyond this is not kept for the next turn.
    static let retainedBytes = 64 * 1024

    private static let lastID = Atomic<UInt64>(0)

    init(
        channel: any Channel,
        turn: EventLoopTurn,
        limits: ConnectionLimits,
        readsWhileOutputIsHigh: Bool,
        closesOnSilence: Bool = false,
        encoding: HeaderEncoding = .json,
        opaques: OpaqueSource
    ) {
        self.id = Self.lastID.add(1, ordering: .relaxed).newValue
        self.eventLoop = channel.eventLoop
        self.remoteAddress = channel.remoteAddress.flatMap { HostAddress($0) } ?? HostAddress(ip: .v4(0), port: 0)
        self.turn = turn
        self.limits = limits
        self.lastRead = channel.eventLoop.now
        self.closesOnSilence = closesOnSilence
        self.encoding = encoding
        self.opaques = opaques
        self.intake = Intake(
            maximumInFlight: limits.maximumInFlight,
            maximumParked: limits.maximumParked,
            readsWhileOutputIsHigh: readsWhileOutputIsHigh
        )
        self.watch = Watchdog(limits: limits, now: channel.eventLoop.now)
    }

    package var handle: ConnectionHandle { ConnectionHandle(self) }

    /// Flushes what is written and closes. The peer's unanswered requests are dropped, ours end with an error.
    package func close() {
        close(RemotingError(.closed, "the connection to \(remoteAddress) was closed on this side"))
    }

    func close(_ reason: RemotingError) {
        guard isOpen else { return }
        flush()
        closeReason = closeReason ?? reason
        isOpen = false
        context?.close(promise: nil)
    }

    /// Appends output for the flush at the end of the turn.
    func append(_ write: (inout ByteBuffer) -> Void) {
        write(&outgoing)
        if outgoing.readableBytes >= Self.pieceBytes {
            handOver()
        }
        markDirty()
    }

    func append(body: ByteBuffer) {
        if body.readableBytes <= Self.copiedBodyBytes {
            outgoing.writeImmutableBuffer(body)
        } else {
            handOver()
            context?.write(NIOAny(body), promise: nil)
            isFlushNeeded = true
        }
        markDirty()
    }

    func markDirty() {
        guard !isDirty, isOpen else { return }
        isDirty = true
        turn.markDirty(self)
    }

    /// Called by the turn for each connection that was marked dirty in it.
    func turnEnded() {
        isDirty = false
        guard isOpen else { return }
        flush()
        resume?()
        closeIfDrained()
    }

    /// Forgets everything that could keep memory alive behind a handle to a closed connection.
    func released() {
        isOpen = false
        timer?.cancel()
        timer = nil
        outgoing = ByteBuffer()
        context = nil
        resume = nil
    }

    private func handOver() {
        guard outgoing.readableBytes > 0 else { return }
        context?.write(NIOAny(outgoing), promise: nil)
        isFlushNeeded = true
        outgoing = ByteBuffer()
    }

    private func flush() {
        guard let context else { return }
        if outgoing.readableBytes > 0 {
            context.write(NIOAny(outgoing), promise: nil)
            isFlushNeeded = true
        }
        guard isFlushNeeded else { return }
        isFlushNeeded = false
        context.flush()
        watch.active(now: eventLoop.now)
        if outgoing.capacity > Self.retainedBytes {
            outgoing = ByteBuffer()
        } else {
            outgoing.clear()
        }
        closeIfOutputIsExcessive(context)
    }

    private func closeIfOutputIsExcessive(_ context: ChannelHandlerContext) {
        guard intake.isOutputHigh, isOpen,
            let unsent = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes),
            unsent > limits.maximumOutputBytes
        else { return }
        closeReason = RemotingError(.closed, "\(remoteAddress) does not read: \(unsent) bytes are waiting for it")
        isOpen = false
        context.close(promise: nil)
    }
}

/// What is remembered of a request until its response arrives.
struct PendingRequest {
    var code: RequestCode
    var timeout: Duration
    var sent: NIODeadline
    var complete: ResponseCallback
}
