import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import Testing

@testable import MQNameServer

@Suite("Registrations over a connection that has ended")
struct ClosedConnectionTests {
    /// Hands out the connections of its server.
    private final class Doorman: RequestHandler {
        private let opened: AsyncStream<ConnectionHandle>.Continuation

        init(_ opened: AsyncStream<ConnectionHandle>.Continuation) { self.opened = opened }

        func connectionOpened(_ connection: Connection) { opened.yield(connection.handle) }
        func handle(_ request: Frame, on connection: Connection) {}
    }

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func registration(over connection: ConnectionHandle) -> BrokerRegistration {
        BrokerRegistration(
            clusterName: "C1", brokerName: "broker-a", address: "127.0.0.2:20911", brokerID: 0,
            haAddress: "127.0.0.2:20912", dataVersion: DataVersion(counter: 1, timestamp: .zero), topics: [],
            filterServers: [], connection: connection.id
        )
    }

    @Test("The broker is not entered: nobody would remove it")
    func dropped() async throws {
        let (connections, opened) = AsyncStream.makeStream(of: ConnectionHandle.self)
        var configuration = NameServerConfiguration()
        configuration.server.port = 0
        let server = RemotingServer(configuration.server, group: .singleton, logger: quiet) { _ in Doorman(opened) }
        let client = try await RawClient(address: "\(try await server.bind())")
        var iterator = connections.makeAsyncIterator()
        let connection = try #require(await iterator.next())
        let registry = Registry(
            configuration: configuration, keyValues: try KeyValueStore(path: "no-such-directory/kvConfig.json"),
            time: .system, logger: quiet
        )
        func isKnown() -> Bool { registry.withRoutes { $0.clusterInfo() }.brokerAddrTable["broker-a"] != nil }
        registry.connectionOpened(connection)
        #expect(registry.register(registration(over: connection), over: connection) != nil)
        #expect(isKnown())
        registry.connectionLost(connection)
        #expect(!isKnown())
        #expect(registry.register(registration(over: connection), over: connection) == nil)
        #expect(!isKnown())
        await client.close()
        await server.shutdown(drain: .zero)
    }
}
