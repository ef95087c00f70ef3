import Logging
import MQProtocol
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import MQRemoting

/// Servers and clients over real loopback sockets.
@Suite struct LoopbackTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Answers every two-way request with its own body; code 1 is kept unanswered, code 2 asks the peer back first.
    private final class Echo: RequestHandler {
        let kept: KeptRequests

        init(kept: KeptRequests) {
            self.kept = kept
        }

        func handle(_ request: Frame, on connection: Connection) {
            switch request.code {
            case 1:
                kept.add(connection.handle, request.replyTo)
            case 2:
                let reply = request.replyTo
                connection.request(.checkTransactionState, header: EmptyHeader(), timeout: .seconds(5)) { result in
                    let body = (try? result.get())?.body
                    connection.reply(to: reply, .success, body: body)
                }
            default:
                connection.reply(to: request.replyTo, .success, body: request.body)
            }
        }
    }

    /// Requests that were left unanswered, and a way to wait for them.
    private final class KeptRequests: Sendable {
        private let requests = Mutex<[(ConnectionHandle, ReplyTo)]>([])
        private let arrivals = AsyncStream<Void>.makeStream()

        func add(_ connection: ConnectionHandle, _ request: ReplyTo) {
            requests.withLock { $0.append((connection, request)) }
            arrivals.continuation.yield()
        }

        func waitForOne() async {
            for await _ in arrivals.stream { return }
        }

        var all: [(ConnectionHandle, ReplyTo)] { requests.withLock { $0 } }
    }

    private static func withServer(
        _ change: (inout RemotingServerConfiguration) -> Void = { _ in },
        _ body: (RemotingServer<Echo>, String, KeptRequests) async throws -> Void
    ) async throws {
        var configuration = RemotingServerConfiguration()
        change(&configuration)
        let kept = KeptRequests()
        let server = RemotingServer(configuration, group: .singleton, logger: quiet) { _ in Echo(kept: kept) }
        let address = try await server.bind()
        try await body(server, "\(address)", kept)
        await server.shutdown(drain: .zero)
    }

    private static func client(
        _ configuration: RemotingClientConfiguration = RemotingClientConfiguration(),
        onRequest: @escaping @Sendable (Frame, Connection) -> Void = RemotingClient.refuse
    ) -> RemotingClient {
        RemotingClient(configuration, group: .singleton, logger: quiet, onRequest: onRequest)
    }

    @Test func manyRequestsShareOneConnection() async throws {
        try await Self.withServer { server, address, _ in
            let client = Self.client()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let body = ByteBuffer(string: "body \(number)")
                        let response = try await client.request(to: address, .sendMessage, body: body)
                        return response.body == body && response.code == 0
                    }
                }
                for try await isEqual in group { #expect(isEqual) }
            }
            #expect(server.counters.accepted == 1)
            await client.shutdown()
        }
    }

    @Test(arguments: [HeaderEncoding.json, .binary])
    func answersUseTheEncodingOfTheRequest(encoding: HeaderEncoding) async throws {
        try await Self.withServer { _, address, _ in
            var configuration = RemotingClientConfiguration()
            configuration.encoding = encoding
            let client = Self.client(configuration)
            let response = try await client.request(to: address, .sendMessage)
            #expect(response.encoding == encoding)
            await client.shutdown()
        }
    }

    @Test func largeBodiesGoBothWays() async throws {
        try await Self.withServer { _, address, _ in
            let client = Self.client()
            var generator = SeededGenerator()
            let bytes = (0..<3_000_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let response = try await client.request(
                to: address, .sendMessage, body: ByteBuffer(bytes: bytes), timeout: .seconds(30))
            #expect(response.body == ByteBuffer(bytes: bytes))
            await client.shutdown()
        }
    }

    @Test func theServerAsksTheClient() async throws {
        try await Self.withServer { _, address, _ in
            let client = Self.client { request, connection in
                connection.reply(to: request.replyTo, .success, body: ByteBuffer(string: "asked \(request.code)"))
            }
            let response = try await client.request(to: address, RequestCode(rawValue: 2))
            #expect(String(buffer: response.body) == "asked 39")
            await client.shutdown()
        }
    }

    @Test func theFastPathSendsManyRequestsFromTheEventLoop() async throws {
        try await Self.withServer { _, address, _ in
            let client = Self.client()
            let handle = try await client.openConnection(to: address)
            let count = try await handle.eventLoop.flatSubmit { () -> EventLoopFuture<Int> in
                let promise = handle.eventLoop.makePromise(of: Int.self)
                handle.onLoop { connection in
                    let futures = (0..<100).map { _ in
                        connection.request(.sendMessage, header: EmptyHeader(), timeout: .seconds(5))
                    }
                    EventLoopFuture.whenAllSucceed(futures, on: connection.eventLoop).map(\.count).cascade(to: promise)
                }
                return promise.futureResult
            }.get()
            #expect(count == 100)
            await client.shutdown()
        }
    }

    @Test func aClientReconnectsAfterItsServerRestarted() async throws {
        let client = Self.client()
        var configuration = RemotingServerConfiguration()
        let kept = KeptRequests()
        let first = RemotingServer(configuration, group: .singleton, logger: Self.quiet) { _ in Echo(kept: kept) }
        let address = try await first.bind()
        _ = try await client.request(to: "\(address)", .sendMessage)
        let pending = Task {
            try await client.request(to: "\(address)", RequestCode(rawValue: 1), timeout: .seconds(60))
        }
        await kept.waitForOne()
        await first.shutdown(drain: .zero)
        await #expect { try await pending.value } throws: { error in
            let error = error as? RemotingError
            return error?.code == .disconnected && error?.message.contains("\(address)") == true
        }
        await #expect { try await client.request(to: "\(address)", .sendMessage) } throws: { error in
            (error as? RemotingError)?.code == .refused
        }
        configuration.port = Int(address.port)
        let second = RemotingServer(configuration, group: .singleton, logger: Self.quiet) { _ in Echo(kept: kept) }
        #expect(try await second.bind() == address)
        #expect(try await client.request(to: "\(address)", .sendMessage).code == 0)
        await client.shutdown()
        await second.shutdown(drain: .zero)
    }

    @Test func shutdownLetsRequestsInFlightBeAnswered() async throws {
        try await Self.withServer { server, address, kept in
            let client = Self.client()
            let pending = Task {
                try await client.request(to: address, RequestCode(rawValue: 1), timeout: .seconds(60))
            }
            await kept.waitForOne()
            async let shutdown: Void = server.shutdown(drain: .seconds(60))
            for (connection, request) in kept.all {
                connection.onLoop { $0.reply(to: request, .success) }
            }
            let response = try await pending.value
            #expect(response.code == 0)
            await shutdown
            await client.shutdown()
        }
    }

    @Test func aCancelledTaskStopsWaiting() async throws {
        try await Self.withServer { _, address, kept in
            let client = Self.client()
            let pending = Task {
                try await client.request(to: address, RequestCode(rawValue: 1), timeout: .seconds(600))
            }
            await kept.waitForOne()
            pending.cancel()
            await #expect { try await pending.value } throws: { ($0 as? RemotingError)?.code == .cancelled }
            await client.shutdown()
        }
    }

    @Test func anAddressInUseIsNamed() async throws {
        try await Self.withServer { _, address, kept in
            var configuration = RemotingServerConfiguration()
            configuration.port = Int(HostAddress(address)?.port ?? 0)
            let second = RemotingServer(configuration, group: .singleton, logger: Self.quiet) { _ in Echo(kept: kept) }
            await #expect { try await second.bind() } throws: { error in
                let error = error as? RemotingError
                return error?.code == .portInUse && error?.message.contains(address) == true
            }
        }
    }

    @Test(arguments: ["", "host", "host:", ":1", "host:0", "host:99999", "::1:80", "a:b:c"])
    func aTextThatIsNoAddressIsRefused(text: String) async throws {
        let client = Self.client()
        await #expect { try await client.request(to: text, .sendMessage) } throws: { error in
            (error as? RemotingError)?.code == .addressInvalid
        }
        await client.shutdown()
    }

    @Test func connectionsBeyondTheLimitAreClosedAtOnce() async throws {
        try await Self.withServer({ $0.maximumConnections = 3 }) { server, address, _ in
            let clients = (0..<3).map { _ in Self.client() }
            for client in clients { _ = try await client.request(to: address, .sendMessage) }
            let fourth = Self.client()
            await #expect(throws: RemotingError.self) { try await fourth.request(to: address, .sendMessage) }
            #expect(server.counters.refused >= 1)
            #expect(server.counters.open == 3)
            for client in clients {
                #expect(try await client.request(to: address, .sendMessage).code == 0)
                await client.shutdown()
            }
            await fourth.shutdown()
        }
    }

    @Test func fiveHundredConnectionsAreServed() async throws {
        try await Self.withServer { server, address, _ in
            let client = Self.client()
            var handles: [ConnectionHandle] = []
            for _ in 0..<500 { handles.append(try await client.openConnection(to: address)) }
            for handle in handles {
                let response = try await handle.request(.sendMessage, header: EmptyHeader(), timeout: .seconds(20))
                #expect(response.code == 0)
            }
            #expect(server.counters.open == 500)
            await client.shutdown()
        }
    }

    /// Half of the garbage is random, half are damaged frames; a well-behaved client is served all the time.
    @Test func garbageFromOneClientDoesNotDisturbAnother() async throws {
        try await Self.withServer { _, address, _ in
            var generator = SeededGenerator()
            let client = Self.client()
            let port = Int(HostAddress(address)?.port ?? 0)
            for round in 0..<100 {
                let garbage = Self.garbage(using: &generator)
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: port).get()
                try? await channel.writeAndFlush(garbage).get()
                let body = ByteBuffer(string: "round \(round)")
                #expect(try await client.request(to: address, .sendMessage, body: body).body == body)
                try? await channel.close().get()
            }
            await client.shutdown()
        }
    }

    private static func garbage(using generator: inout SeededGenerator) -> ByteBuffer {
        if Bool.random(using: &generator) {
            let length = Int.random(in: 1...5000, using: &generator)
            return ByteBuffer(bytes: (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        }
        var frame = ByteBuffer.request(code: 10, opaque: 1, bodyBytes: 200)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0..<frame.readableBytes, using: &generator)
            frame.setInteger(UInt8.random(in: .min ... .max, using: &generator), at: frame.readerIndex + index)
        }
        return frame
    }
}
