#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif
import NIOCore
import NIOPosix
import NIOSSL

/// Turns what the transport reports into an error that names the address, the cause and what to do.
enum ConnectionFailure {
    /// Why an open connection ended.
    static func reason(_ error: any Error, peer: String) -> RemotingError {
        if let error = error as? RemotingError { return error }
        if let error = error as? IOError {
            let cause = error.errnoCode == ECONNRESET ? "the peer reset the connection" : error.description
            return RemotingError(.disconnected, "\(cause) (\(peer))", address: peer, cause: error)
        }
        if error is NIOSSLError || error is BoringSSLError {
            let message = "TLS with \(peer) failed: \(error)"
            return RemotingError(.tls, message, address: peer, cause: error)
        }
        return RemotingError(.disconnected, "the connection to \(peer) failed: \(error)", address: peer, cause: error)
    }

    /// Why no connection to `address` could be opened.
    static func connecting(_ error: any Error, to address: String, within timeout: Duration) -> RemotingError {
        if let error = error as? RemotingError { return error }
        if isTimeout(error) {
            let message = "\(address) did not accept a connection within \(timeout): check the address and firewalls"
            return RemotingError(.connectTimedOut, message, address: address, cause: error)
        }
        let causes = (error as? NIOConnectionError)?.connectionErrors.map(\.error) ?? [error]
        if !causes.isEmpty, causes.allSatisfy({ ($0 as? IOError)?.errnoCode == ECONNREFUSED }) {
            let message =
                "\(address) refused the connection: nothing listens there; start the server or correct the address"
            return RemotingError(.refused, message, address: address, cause: error)
        }
        if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty {
            let message = "the host of \(address) is not known: correct the address"
            return RemotingError(.connectFailed, message, address: address, cause: error)
        }
        let cause = causes.first.map { "\($0)" } ?? "\(error)"
        let message = "no connection to \(address) could be opened: \(cause)"
        return RemotingError(.connectFailed, message, address: address, cause: error)
    }

    /// Why `address` cannot be listened on.
    static func binding(_ error: any Error, to address: String) -> RemotingError {
        if let error = error as? RemotingError { return error }
        let code = (error as? IOError)?.errnoCode
        switch code {
        case EADDRINUSE:
            let message = "\(address) is in use: stop the process that listens there or configure another port"
            return RemotingError(.portInUse, message, address: address, cause: error)
        case EADDRNOTAVAIL:
            let message = "\(address) is no address of this machine: configure one of its own, or 127.0.0.1"
            return RemotingError(.bindFailed, message, address: address, cause: error)
        case EACCES:
            let message = "listening on \(address) is not permitted: choose a port above 1023"
            return RemotingError(.bindFailed, message, address: address, cause: error)
        default:
            let message = "cannot listen on \(address): \(error); correct the host or the port"
            return RemotingError(.bindFailed, message, address: address, cause: error)
        }
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        if let error = error as? ChannelError, case .connectTimeout = error { return true }
        if let error = error as? NIOConnectionError, !error.connectionErrors.isEmpty {
            return error.connectionErrors.allSatisfy { isTimeout($0.error) }
        }
        return (error as? IOError)?.errnoCode == ETIMEDOUT
    }
}
