import MQProtocol
import NIOCore
import NIOPosix

/// A connection that sends bytes as they are and hands out the frames that come back.
final class RawClient: Sendable {
    private let channel: any Channel
    private let frames: AsyncThrowingStream<Frame, any Error>

    init(address: String) async throws {
        let stream = AsyncThrowingStream<Frame, any Error>.makeStream()
        frames = stream.stream
        let port = Int(address.split(separator: ":").last ?? "") ?? 0
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameCollector(stream.continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// Sends a frame whose header is this JSON text.
    func send(header: String, body: String = "") async throws {
        var frame = ByteBuffer()
        frame.writeInteger(Int32(4 + header.utf8.count + body.utf8.count))
        frame.writeInteger(Int32(header.utf8.count))
        frame.writeString(header + body)
        try await send(frame)
    }

    func send(_ bytes: ByteBuffer) async throws {
        try await channel.writeAndFlush(bytes).get()
    }

    /// The next frame; `nil` when the connection ended.
    func next() async throws -> Frame? {
        for try await frame in frames { return frame }
        return nil
    }

    func close() async {
        try? await channel.close().get()
    }
}

private final class FrameCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncThrowingStream<Frame, any Error>.Continuation
    private var decoder = FrameDecoder()
    private var received = ByteBuffer()

    init(_ continuation: AsyncThrowingStream<Frame, any Error>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        do {
            while let frame = try decoder.next(from: &received) {
                continuation.yield(frame)
            }
        } catch {
            continuation.finish(throwing: error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        continuation.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
