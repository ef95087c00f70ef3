import MQProtocol
import MQRemoting
import NIOCore

/// How a request reaches its peer.
enum RequestPath: Sendable {
    /// Over the connection that there is, or a new one.
    case address(String)
    /// Over this connection or not at all: another one may lead to a process that knows less.
    case connection(ConnectionHandle, address: String)

    var address: String {
        switch self {
        case .address(let address), .connection(_, let address): address
        }
    }
}

extension MQClient {
    /// The connection that requests to the address go through, opened if needed.
    func connection(to address: String) async throws(MQClientError) -> ConnectionHandle {
        do {
            return try await remoting.connection(to: address)
        } catch {
            throw MQClientError(remoting: error, address: address)
        }
    }

    /// - Returns: the answer, whatever its code.
    func request(
        by path: RequestPath, _ code: RequestCode, header: some CommandHeader, timeout: Duration? = nil
    ) async throws(MQClientError) -> Frame {
        let timeout = timeout ?? configuration.requestTimeout
        switch path {
        case .address(let address):
            return try await request(to: address, code, header: header, timeout: timeout)
        case .connection(let connection, let address):
            do {
                return try await connection.request(code, header: header, timeout: timeout)
            } catch {
                throw MQClientError(remoting: error, address: address)
            }
        }
    }
}
