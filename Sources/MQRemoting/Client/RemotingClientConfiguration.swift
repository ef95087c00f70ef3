package import MQProtocol

/// How a client connects and what it waits for.
package struct RemotingClientConfiguration: Sendable {
    /// Default: 3 s.
    package var connectTimeout: Duration = .seconds(3)
    /// For requests that name none. Default: 3 s.
    package var requestTimeout: Duration = .seconds(3)
    /// Encoding of the headers of this client's requests. Default: JSON.
    package var encoding: HeaderEncoding = .json
    package var connection = ConnectionLimits()
    package var tls = ClientTLS()

    package init() {}
}
