import NIOCore
import NIOSSL

/// Looks at the first byte of an accepted connection. A TLS hello begins with 0x16; a frame begins with the top byte of
/// a length below 16 MiB, which is 0x00.
struct TLSDoorway {
    static let helloByte: UInt8 = 0x16

    let mode: ServerTLS.Mode
    /// `nil` when no certificate is configured.
    let context: NIOSSLContext?

    /// - Returns: the handler that speaks TLS, or `nil` for a plain connection.
    /// - Throws: `tls` when the connection is to be refused.
    func enter(firstByte: UInt8) throws(RemotingError) -> NIOSSLServerHandler? {
        guard firstByte == Self.helloByte else {
            if mode == .enforcing {
                throw RemotingError(.tls, "the peer speaks without TLS, which this server requires (tls.server.mode)")
            }
            return nil
        }
        if mode == .disabled {
            throw RemotingError(.tls, "the peer speaks TLS, which is disabled here (tls.server.mode)")
        }
        guard let context else {
            let message = "the peer speaks TLS, but no certificate is configured here: set a certificate and its key"
            throw RemotingError(.tls, message)
        }
        return NIOSSLServerHandler(context: context)
    }
}
