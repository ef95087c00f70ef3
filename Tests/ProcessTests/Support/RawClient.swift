import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix

/// Plain requests to one server over one connection: what a test says goes out as it is.
struct RawClient: Sendable {
    /// `host:port`.
    let address: String
    private let remoting: RemotingClient

    /// Connects on the first request and disconnects after `body`.
    ///
    /// - Parameter onRequest: receives what the server asks, on the connection's event loop.
    static func with<Value: Sendable>(
        _ address: String,
        onRequest: @escaping @Sendable (Frame, Connection) -> Void = RemotingClient.refuse,
        _ body: @Sendable (RawClient) async throws -> Value
    ) async throws -> Value {
        var configuration = RemotingClientConfiguration()
        configuration.requestTimeout = .seconds(20)
        let remoting = RemotingClient(
            configuration, group: .singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onRequest: onRequest)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(RawClient(address: address, remoting: remoting)))
        } catch {
            outcome = .failure(error)
        }
        await remoting.shutdown()
        return try outcome.get()
    }

    func request(
        _ code: RequestCode, _ fields: [(String, String)] = [], body: ByteBuffer? = nil, timeout: Duration? = nil
    ) async throws(RemotingError) -> Frame {
        try await remoting.request(to: address, code, body: body, extra: fields, timeout: timeout)
    }

    func oneWay(
        _ code: RequestCode, _ fields: [(String, String)] = [], body: ByteBuffer? = nil
    ) async throws(RemotingError) {
        try await remoting.oneWay(to: address, code, body: body, extra: fields)
    }

    /// A request whose failure is the test's.
    ///
    /// - Throws: when the server refuses it.
    @discardableResult
    func require(
        _ code: RequestCode, _ fields: [(String, String)] = [], body: ByteBuffer? = nil
    ) async throws -> Frame {
        let answer = try await request(code, fields, body: body)
        guard answer.responseCode == .success else {
            throw TestFailure("request \(code) was answered \(answer.responseCode): \(answer.remark ?? "no remark")")
        }
        return answer
    }
}

/// Something that makes a test pointless to go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
