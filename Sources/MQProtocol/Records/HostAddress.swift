package import NIOCore

/// An IP address and a port, as records and ids carry them. Names are not resolved here.
package struct HostAddress: Hashable, Sendable {
    package enum IP: Hashable, Sendable {
        /// The four bytes in network order: 127.0.0.1 is 0x7F000001.
        case v4(UInt32)
        /// The first and the last eight bytes in network order.
        case v6(UInt64, UInt64)
    }

    package var ip: IP
    /// An int32 on disk; a real one is 0…65535.
    package var port: Int32

    package init(ip: IP, port: Int32) {
        self.ip = ip
        self.port = port
    }

    /// Reads `ip:port` or `[ipv6]:port`. Without brackets the last colon separates the port, as Java prints addresses.
    package init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        guard let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.utf8.first == UInt8(ascii: "/") { host = host.dropFirst() }
        if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
            host = host.dropFirst().dropLast()
            guard host.utf8.contains(UInt8(ascii: ":")) else { return nil }
        }
        guard let ip = IP(host) else { return nil }
        self.init(ip: ip, port: Int32(port))
    }

    /// Nil for a Unix domain socket.
    package init?(_ address: SocketAddress) {
        guard let host = address.ipAddress, let port = address.port else { return nil }
        let withoutZone = host.prefix { $0 != "%" }
        guard let ip = IP(withoutZone) else { return nil }
        self.init(ip: ip, port: Int32(truncatingIfNeeded: port))
    }

    @inlinable
    package var isV6: Bool {
        if case .v6 = ip { true } else { false }
    }

    /// Bytes in a record or an id: 8 or 20.
    @inlinable
    package var encodedBytes: Int { isV6 ? 20 : 8 }

    /// The IP part without the port: `10.1.2.3`, `fd00::2`.
    package var host: String { ip.description }
}

extension HostAddress: CustomStringConvertible {
    /// `10.1.2.3:10911` or `[fd00::2]:10911`.
    package var description: String { isV6 ? "[\(ip)]:\(port)" : "\(ip):\(port)" }
}

extension MutableRawSpan {
    @_lifetime(self: copy self)
    mutating func append(_ host: HostAddress, at position: inout Int) {
        switch host.ip {
        case .v4(let address):
            append(address, at: &position)
        case .v6(let high, let low):
            append(high, at: &position)
            append(low, at: &position)
        }
        append(host.port, at: &position)
    }
}

extension Span where Element == UInt8 {
    /// The host whose bytes begin at `position`; the caller has checked that there are 8 or 20.
    func host(at position: Int, isV6: Bool) -> HostAddress {
        if isV6 {
            let ip = HostAddress.IP.v6(
                bigEndian(UInt64.self, at: position), bigEndian(UInt64.self, at: position + 8))
            return HostAddress(ip: ip, port: bigEndian(Int32.self, at: position + 16))
        }
        return HostAddress(
            ip: .v4(bigEndian(UInt32.self, at: position)), port: bigEndian(Int32.self, at: position + 4))
    }
}
