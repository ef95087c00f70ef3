import NIOCore
import NIOPosix

/// A server that answers every request frame with the same response, the opaque copied from its place and nothing
/// else looked at: what this machine, this driver and these frames can do when the server does nothing.
struct EchoServer: Sendable {
    /// Which fixed answer it gives.
    enum Answer: String, Sendable, CaseIterable {
        /// To a send.
        case receipt
        /// To a pull: 32 records.
        case records
    }

    let answer: Answer
    let encoding: WireEncoding
    /// Of each record of a pull's answer.
    let recordBytes: Int

    /// Serves until the process is told to end, and says on which port.
    func run(announce: @Sendable (Int) -> Void) async throws {
        let response = responseTemplate()
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler(response: response))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        announce(channel.localAddress?.port ?? 0)
        try await channel.closeFuture.get()
    }

    private func responseTemplate() -> FrameTemplate {
        let id = "7F00000100002A9F0000000000000000"
        switch answer {
        case .receipt:
            let fields = [
                ("queueId", "3"), ("TRACE_ON", "true"), ("MSG_REGION", "DefaultRegion"), ("msgId", id),
                ("queueOffset", "0"),
            ]
            return FrameTemplate(code: 0, fields: fields, body: ByteBuffer(), encoding: encoding)
        case .records:
            var body = ByteBuffer()
            for _ in 0..<DrainWorkload.messagesPerPull {
                body.writeInteger(Int32(recordBytes))
                body.writeRepeatingByte(0, count: recordBytes - 4)
            }
            let fields = [
                ("suggestWhichBrokerId", "0"), ("nextBeginOffset", "0"), ("minOffset", "0"), ("maxOffset", "0"),
            ]
            return FrameTemplate(code: 0, fields: fields, body: body, encoding: encoding)
        }
    }
}

/// Confined to its connection.
private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let response: FrameTemplate
    private let opaqueBytes: Int
    private var pending = ByteBuffer()
    private var outgoing = ByteBuffer()

    init(response: FrameTemplate) {
        self.response = response
        opaqueBytes = response.encoding == .json ? 10 : 4
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        if pending.readableBytes == 0 {
            pending = incoming
        } else {
            pending.writeBuffer(&incoming)
        }
        while let length: Int32 = pending.getInteger(at: pending.readerIndex) {
            guard let frame = pending.readSlice(length: 4 + Int(length)) else { break }
            guard let opaque = frame.getSlice(at: frame.readerIndex + response.opaqueOffset, length: opaqueBytes)
            else { break }
            let start = outgoing.writerIndex
            outgoing.writeImmutableBuffer(response.bytes)
            outgoing.setBuffer(opaque, at: start + response.opaqueOffset)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        pending.discardReadBytes()
        guard outgoing.readableBytes > 0 else { return }
        let buffer = outgoing
        outgoing = context.channel.allocator.buffer(capacity: buffer.readableBytes)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
