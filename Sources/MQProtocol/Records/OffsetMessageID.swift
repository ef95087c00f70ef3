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

    /// The text of the id, upper case.
    package var hex: String {
        var buffer = ByteBuffer()
        write(to: &buffer)
        return String(buffer: buffer)
    }

    /// Appends ``hex``, eight digits at a time: every answer to a send carries one.
    package func write(to buffer: inout ByteBuffer) {
        let port = Hex.digits(UInt32(bitPattern: host.port))
        let place = UInt64(bitPattern: offset.rawValue)
        let high = Hex.digits(UInt32(truncatingIfNeeded: place >> 32))
        let low = Hex.digits(UInt32(truncatingIfNeeded: place))
        switch host.ip {
        case .v4(let address):
            buffer.writeMultipleIntegers(Hex.digits(address), port, high, low)
        case .v6(let first, let second):
            for word in [first, second] {
                buffer.writeInteger(Hex.digits(UInt32(truncatingIfNeeded: word >> 32)))
                buffer.writeInteger(Hex.digits(UInt32(truncatingIfNeeded: word)))
            }
            buffer.writeMultipleIntegers(port, high, low)
        }
    }
}

extension OffsetMessageID: CustomStringConvertible {
    package var description: String { hex }
}
