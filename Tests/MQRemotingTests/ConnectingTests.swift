import Logging
import NIOCore
import NIOPosix
import Testing

@testable import MQRemoting

/// Connections that do not come about.
@Suite(.timeLimit(.minutes(1))) struct ConnectingTests {
    /// The listener accepts nothing, and the system keeps two connections for it: the third waits.
    @Test("Waiting for a connection ends with its task")
    func cancelled() async throws {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1)
            .serverChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        var configuration = RemotingClientConfiguration()
        configuration.connectTimeout = .seconds(3600)
        let client = RemotingClient(
            configuration, group: .singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for _ in 0..<2 { _ = try await client.openConnection(to: "127.0.0.1:\(port)") }
        let waiting = Task { try await client.connection(to: "127.0.0.1:\(port)") }
        waiting.cancel()
        let error = await #expect(throws: RemotingError.self) { try await waiting.value }
        #expect(error?.code == .cancelled)
        try await listener.close()
        await client.shutdown()
    }
}
