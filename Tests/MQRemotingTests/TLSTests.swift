import Logging
import MQProtocol
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import MQRemoting

/// TLS and plain connections on one port, over loopback sockets.
@Suite struct TLSTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private final class Echo: RequestHandler {
        func handle(_ request: Frame, on connection: Connection) {
            connection.reply(to: request.replyTo, .success, body: request.body)
        }
    }

    private static func withServer(
        _ mode: ServerTLS.Mode,
        _ body: (_ address: String, _ certificate: String) async throws -> Void
    ) async throws {
        try await TestCertificate.withFiles { certificate, key in
            var configuration = RemotingServerConfiguration()
            configuration.tls.mode = mode
            configuration.tls.certificateFile = certificate
            configuration.tls.privateKeyFile = key
            let server = RemotingServer(configuration, group: .singleton, logger: quiet) { _ in Echo() }
            let address = try await server.bind()
            try await body("\(address)", certificate)
            await server.shutdown(drain: .zero)
        }
    }

    private static func client(_ tls: ClientTLS) -> RemotingClient {
        var configuration = RemotingClientConfiguration()
        configuration.tls = tls
        return RemotingClient(configuration, group: .singleton, logger: quiet)
    }

    private static func echo(_ client: RemotingClient, _ address: String) async throws -> Bool {
        let body = ByteBuffer(repeating: 0x42, count: 300_000)
        let response = try await client.request(to: address, .sendMessage, body: body, timeout: .seconds(20))
        await client.shutdown()
        return response.body == body
    }

    @Test(arguments: [ServerTLS.Mode.permissive, .enforcing])
    func aClientThatTrustsTheCertificateIsServed(mode: ServerTLS.Mode) async throws {
        try await Self.withServer(mode) { address, certificate in
            var tls = ClientTLS()
            tls.isEnabled = true
            tls.authorityFile = certificate
            let byAddress = try await Self.echo(Self.client(tls), address)
            #expect(byAddress)
            let byName = try await Self.echo(
                Self.client(tls), address.replacing("127.0.0.1", with: "localhost"))
            #expect(byName)
        }
    }

    @Test func aClientThatDoesNotTrustTheCertificateIsNotServed() async throws {
        try await Self.withServer(.permissive) { address, _ in
            var tls = ClientTLS()
            tls.isEnabled = true
            await #expect(throws: RemotingError.self) { try await Self.echo(Self.client(tls), address) }
            tls.verifiesServer = false
            let unverified = try await Self.echo(Self.client(tls), address)
            #expect(unverified)
        }
    }

    @Test func plainClientsAreServedOnlyWhereTLSIsNotEnforced() async throws {
        try await Self.withServer(.permissive) { address, _ in
            let plain = try await Self.echo(Self.client(ClientTLS()), address)
            #expect(plain)
        }
        try await Self.withServer(.enforcing) { address, _ in
            await #expect { try await Self.echo(Self.client(ClientTLS()), address) } throws: { error in
                (error as? RemotingError)?.code == .disconnected
            }
        }
    }

    @Test func filesThatCannotBeUsedAreNamed() async throws {
        var configuration = RemotingServerConfiguration()
        configuration.tls.certificateFile = "/nonexistent/certificate.pem"
        configuration.tls.privateKeyFile = "/nonexistent/key.pem"
        let server = RemotingServer(configuration, group: .singleton, logger: Self.quiet) { _ in Echo() }
        await #expect { try await server.bind() } throws: { error in
            let error = error as? RemotingError
            return error?.code == .tls && error?.message.contains("/nonexistent/certificate.pem") == true
        }
        configuration.tls = ServerTLS()
        configuration.tls.mode = .enforcing
        let bare = RemotingServer(configuration, group: .singleton, logger: Self.quiet) { _ in Echo() }
        await #expect { try await bare.bind() } throws: { ($0 as? RemotingError)?.code == .configuration }
    }
}
