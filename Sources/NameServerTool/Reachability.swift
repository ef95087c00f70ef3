import MQRemoting

/// The line that tells an operator who can reach the server and how it is protected.
struct Reachability: CustomStringConvertible {
    var address: String
    var server: RemotingServerConfiguration

    var description: String {
        "listening on \(address): \(audience); \(server.tls.summary)"
    }

    private var audience: String {
        if address.hasPrefix("127.") || address.hasPrefix("[::1]:") {
            "only this machine can reach it (bindAddress or --listen opens it)"
        } else if address.hasPrefix("0.0.0.0:") || address.hasPrefix("[::]:") {
            "every machine that can reach this one can reach it"
        } else {
            "every machine that can reach this address can reach it"
        }
    }
}
