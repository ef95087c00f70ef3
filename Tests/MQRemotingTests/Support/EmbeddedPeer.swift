import Logging
import MQProtocol
import NIOCore
import NIOEmbedded

@testable import MQRemoting

/// One served connection without a socket: the test is its peer, its event loop and its clock.
final class EmbeddedPeer {
    let loop: EmbeddedEventLoop
    let channel: EmbeddedChannel
    let turn: EventLoopTurn
    let connection: Connection
    let handler = RecordingHandler()
    private(set) var ends = 0
    private let connectionHandler: ConnectionHandler<RecordingHandler>
    private let reads = ReadCounter()
    private var decoder = FrameDecoder()
    private var output = ByteBuffer()

    init(
        limits: ConnectionLimits = ConnectionLimits(),
        readsWhileOutputIsHigh: Bool = false,
        closesOnSilence: Bool = false,
        tls: ServerTLS.Mode = .permissive,
        connects: Bool = true
    ) throws {
        loop = EmbeddedEventLoop()
        channel = EmbeddedChannel(loop: loop)
        let address = try SocketAddress(ipAddress: "192.0.2.9", port: 4000)
        channel.remoteAddress = address
        turn = EventLoopTurn(eventLoop: loop)
        connection = Connection(
            channel: channel,
            turn: turn,
            limits: limits,
            readsWhileOutputIsHigh: readsWhileOutputIsHigh,
            closesOnSilence: closesOnSilence,
            opaques: OpaqueSource()
        )
        turn.onEnd = { [handler] in handler.turnEnded() }
        var onEnd: () -> Void = {}
        connectionHandler = ConnectionHandler(
            connection: connection,
            handler: handler,
            doorway: TLSDoorway(mode: tls, context: nil),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in onEnd() }
        onEnd = { [unowned self] in self.ends += 1 }
        try channel.pipeline.syncOperations.addHandlers([reads, connectionHandler])
        if connects {
            try channel.connect(to: address).wait()
        }
    }

    /// Reads that reached the socket.
    var readCount: Int { reads.count }
    /// Memory that bytes of an incomplete frame occupy.
    var receivedCapacity: Int { connectionHandler.received.storageCapacity }
    var isOpen: Bool { channel.isActive }

    func send(_ bytes: ByteBuffer) throws {
        try channel.writeInbound(bytes)
    }

    func send(code: Int32, opaque: Int32, oneWay: Bool = false, bodyBytes: Int = 0) throws {
        try send(.request(code: code, opaque: opaque, oneWay: oneWay, bodyBytes: bodyBytes))
    }

    /// Lets the event loop finish its turn.
    func endTurn() {
        loop.run()
    }

    func advance(_ duration: Duration) {
        loop.advanceTime(by: TimeAmount(duration))
    }

    /// Buffers that were handed to the socket since the last call.
    func takeWrites() throws -> [ByteBuffer] {
        var writes: [ByteBuffer] = []
        while let write = try channel.readOutbound(as: ByteBuffer.self) {
            if write.readableBytes > 0 {
                writes.append(write)
            }
        }
        return writes
    }

    func takeFrames() throws -> [Frame] {
        for var write in try takeWrites() {
            output.writeBuffer(&write)
        }
        var frames: [Frame] = []
        while let frame = try decoder.next(from: &output) {
            frames.append(frame)
        }
        return frames
    }
}

extension ByteBuffer {
    static func request(code: Int32, opaque: Int32, oneWay: Bool = false, bodyBytes: Int = 0) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeRequest(
            RequestCode(rawValue: code),
            opaque: opaque,
            oneWay: oneWay,
            encoding: .json,
            header: EmptyHeader(),
            body: bodyBytes == 0 ? nil : ByteBuffer(repeating: 0x61, count: bodyBytes)
        )
        return buffer
    }

    static func response(opaque: Int32) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeResponse(.success, to: ReplyTo(opaque: opaque), remark: nil, header: EmptyHeader(), body: nil)
        return buffer
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
