/// What a server does with a connection whose first byte announces TLS (0x16), and with one that does not.
public struct ServerTLS: Sendable, Equatable {
    public enum Mode: String, Sendable {
        /// TLS is refused.
        case disabled
        /// TLS and plain connections are served on the same port.
        case permissive
        /// Plain connections are refused.
        case enforcing
    }

    /// Default: permissive. Without a certificate, TLS connections are refused all the same.
    public var mode: Mode = .permissive
    /// PEM file with the certificate chain, the server's own first. Default: none.
    public var certificateFile: String?
    /// PEM file with the private key of the certificate. Default: none.
    public var privateKeyFile: String?
    /// PEM file with the authorities whose clients are accepted; when set, clients must show a certificate of theirs.
    /// Default: none.
    public var clientAuthorityFile: String?

    public init() {}

    /// For the line in which a server says at its start how it is protected.
    public var summary: String {
        switch mode {
        case .disabled: "TLS is disabled"
        case .permissive where certificateFile == nil: "TLS is off: no certificate is configured"
        case .permissive: "TLS is offered"
        case .enforcing: "TLS is required"
        }
    }
}

/// How a client opens its connections.
public struct ClientTLS: Sendable {
    /// Default: false; RocketMQ's clients speak plain unless told otherwise.
    public var isEnabled = false
    /// PEM file with the authorities to trust; `nil` means the system's. Default: none.
    public var authorityFile: String?
    /// Whether the server's certificate is checked. Turning it off protects against nobody. Default: true.
    public var verifiesServer = true
    /// PEM files with the client's own certificate chain and key, for servers that ask for one. Default: none.
    public var certificateFile: String?
    public var privateKeyFile: String?

    public init() {}
}
