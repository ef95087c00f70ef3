import MQBroker
import MQRemoting

/// What the broker says when it is ready: RocketMQ's line, then who can reach it and how it keeps what it is given.
struct BootReport {
    var configuration: BrokerConfiguration
    /// The address clients are told.
    var address: String
    var properties: PropertiesReport

    var lines: [String] {
        [boot, reach, flush] + properties.lines
    }

    private var boot: String {
        var line = "The broker[\(configuration.brokerName), \(address)] boot success. serializeType=JSON"
        if !configuration.nameServers.isEmpty {
            line += " and name server is \(configuration.nameServers.joined(separator: ";"))"
        }
        return line
    }

    private var reach: String {
        let host = configuration.network.boundHost
        let audience: String
        if BrokerConfiguration.Network.isLoopback(host) {
            audience = "only this machine can reach it (brokerIP1, bindAddress or --listen opens it)"
        } else if host == "0.0.0.0" || host == "::" {
            audience = "every machine that can reach this one can reach it"
        } else {
            audience = "every machine that can reach this address can reach it"
        }
        return "listening on \(host): \(audience); \(configuration.network.tls.summary); "
            + "ACL is not available, anyone who reaches it may use it"
    }

    private var flush: String {
        configuration.storage.synchronousFlush
            ? "flushDiskType=SYNC_FLUSH: an acknowledged message is on the disk"
            : "flushDiskType=ASYNC_FLUSH: a power loss may lose messages acknowledged in the last "
                + "\(configuration.storage.flushInterval)"
    }
}
