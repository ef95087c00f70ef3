import MQProtocol
import MQRemoting
import MQStore

/// What the parts of a running broker are configured with.
extension BrokerConfiguration {
    func serverConfiguration(port: Int) -> RemotingServerConfiguration {
        var server = RemotingServerConfiguration()
        server.host = network.boundHost
        server.port = port
        server.backlog = network.backlog
        server.tls = network.tls
        server.connection.idleTimeout = network.idleTimeout
        return server
    }

    /// How the name servers are spoken to.
    var registrationClient: RemotingClientConfiguration {
        var client = RemotingClientConfiguration()
        client.tls.isEnabled = registration.usesTLS ?? (network.tls.mode == .enforcing)
        client.tls.authorityFile = registration.authorityFile
        client.tls.verifiesServer = registration.authorityFile != nil
        client.tls.certificateFile = registration.certificateFile
        client.tls.privateKeyFile = registration.privateKeyFile
        return client
    }

    /// The host and port that message ids carry; an ephemeral port is 0 until it is bound
    /// (``Broker/listens(on:)``).
    func advertisedAddress() throws(ConfigurationError) -> HostAddress {
        let host = network.advertisedHost ?? network.boundHost
        let name = host == "localhost" ? "127.0.0.1" : host
        let text = name.contains(":") ? "[\(name)]:\(network.listenPort)" : "\(name):\(network.listenPort)"
        guard let address = HostAddress(text) else {
            throw ConfigurationError(
                .invalidValue, "brokerIP1=\(host) is no IP address; write an address of this machine")
        }
        return address
    }
}

extension PullLimits {
    init(_ storage: BrokerConfiguration.Storage) {
        self.init()
        hotMessages = storage.warmPull.count
        hotBytes = storage.warmPull.bytes
        coldMessages = storage.coldPull.count
        coldBytes = storage.coldPull.bytes
    }
}
