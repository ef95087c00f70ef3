import MQProtocol
import NIOCore
import NIOPosix

/// A peer that keeps to no protocol.
enum RawPeer {
    /// Sends pieces, each in a write of its own, and reads until the server closes the connection.
    ///
    /// - Parameter endsOutput: closes this side when all is sent. False: the server has to close by itself.
    /// - Returns: what the server said.
    @discardableResult
    static func talk(to address: String, _ pieces: [ByteBuffer], endsOutput: Bool = true) async throws -> ByteBuffer {
        let channel = try await connect(to: address)
        return try await channel.executeThenClose { inbound, outbound in
            var received = ByteBuffer()
            do {
                for piece in pieces { try await outbound.write(piece) }
                if endsOutput { outbound.finish() }
            } catch {
                // The server has closed already: it is told apart by what it answered.
            }
            do {
                for try await bytes in inbound { received.writeImmutableBuffer(bytes) }
            } catch {
                // Closed with a reset, because something of ours was not read.
            }
            return received
        }
    }

    /// Sends a frame, one byte at a time, and returns the answer.
    static func drip(_ frame: ByteBuffer, to address: String) async throws -> Frame? {
        let channel = try await connect(to: address)
        return try await channel.executeThenClose { inbound, outbound in
            for byte in frame.readableBytesView {
                try await outbound.write(ByteBuffer(integer: byte))
            }
            var received = ByteBuffer()
            var decoder = FrameDecoder()
            for try await bytes in inbound {
                received.writeImmutableBuffer(bytes)
                if let frame = try decoder.next(from: &received) { return frame }
            }
            return nil
        }
    }

    /// Keeps connections open that have sent a part of a frame, while `body` runs.
    static func withHalfOpen<Value: Sendable>(
        _ count: Int, to address: String, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        var channels: [any Channel] = []
        let (host, port) = try parts(of: address)
        for index in 0..<count {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: host, port: port).get()
            var part = ByteBuffer(integer: Int32(1000))
            part.writeRepeatingByte(0, count: index % 100)
            try await channel.writeAndFlush(part)
            channels.append(channel)
        }
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        for channel in channels { try? await channel.close().get() }
        return try outcome.get()
    }

    private static func connect(to address: String) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        let (host, port) = try parts(of: address)
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
    }

    private static func parts(of address: String) throws -> (String, Int) {
        guard let parsed = HostAddress(address) else { throw TestFailure("\(address) is no address") }
        return (parsed.host, Int(parsed.port))
    }
}
