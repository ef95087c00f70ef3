/// `host:port` or `[host]:port`, as written in configuration and routes; the host may be a name.
struct PeerAddress {
    var host: String
    var port: Int

    init(_ text: String) throws(RemotingError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            throw Self.invalid(text)
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Self.invalid(text)
        }
        guard !host.isEmpty else { throw Self.invalid(text) }
        self.host = String(host)
        self.port = Int(port)
    }

    private static func invalid(_ text: String) -> RemotingError {
        RemotingError(.addressInvalid, "\"\(text)\" is no address: write it as host:port, for IPv6 as [host]:port")
    }
}
