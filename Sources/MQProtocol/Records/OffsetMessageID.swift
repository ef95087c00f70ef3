package import NIOCore

/// Names a stored message by its place: the store's host and the commit-log offset. 32 hex digits, 56 with IPv6.
package struct OffsetMessageID: Hashable, Sendable {
    package var host: HostAddress
    package var offset: LogOffset

    package init(host: HostAddress, offset: LogOffset) {
        self.host = host
        self.offset = offset
    }

    /// Nil unless `text` is 32 or 56 hex digits.
    package init?(_ text: String) {
        let length = text.utf8.count
        guard length == 32 || length == 56 else { return nil }
        var reader = Hex.Reader(text)
        guard let ip = reader.nextIP(isV6: length == 56), let port = reader.next(UInt32.self),
            let offset = reader.next(UInt64.self)
        else { return nil }
        self.host = HostAddress(ip: ip, port: Int32(bitPattern: port))
        self.offset = LogOffset(rawValue: Int64(bitPattern: offset))
    }

    private var utf8: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(56)
        Hex.append(host.ip, to: &text)
        Hex.append(UInt32(bitPattern: host.port), to: &text)
        Hex.append(UInt64(bitPattern: offset.rawValue), to: &text)
        return text
    }

    /// The text of the id, upper case.
    package var hex: String { String(decoding: utf8, as: UTF8.self) }

    /// Appends ``hex``.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeBytes(utf8)
    }
}

extension OffsetMessageID: CustomStringConvertible {
    package var description: String { hex }
}
