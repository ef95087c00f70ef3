/// The name servers a client asks, in the order in which it tries them.
///
/// Name servers do not know of each other: brokers register with all of them, and any one can answer.
///
/// ```swift
/// let addresses = try NameServerAddresses("10.0.0.1:9876;10.0.0.2:9876")
/// ```
public struct NameServerAddresses: Sendable, Hashable, CustomStringConvertible {
    /// `host:port` of each, without duplicates.
    public let addresses: [String]

    /// Reads addresses separated by `;` or `,`. Blanks around them and empty pieces are ignored; `http://` in front of
    /// an address is dropped, as in RocketMQ. A missing port means 9876.
    ///
    /// - Throws: ``MQClientError`` with ``MQClientError/Code/invalidAddress`` or ``MQClientError/Code/noNameServer``.
    public init(_ text: String) throws(MQClientError) {
        var addresses: [String] = []
        for piece in text.split(whereSeparator: { $0 == ";" || $0 == "," }) {
            let address = try Self.parse(piece)
            if let address, !addresses.contains(address) { addresses.append(address) }
        }
        guard !addresses.isEmpty else {
            throw MQClientError(
                .noNameServer,
                "No name server address in \"\(text)\": give one as host:port, several separated by \";\"."
            )
        }
        self.addresses = addresses
    }

    /// The list as RocketMQ writes it.
    public var description: String {
        addresses.joined(separator: ";")
    }

    private static func parse(_ piece: Substring) throws(MQClientError) -> String? {
        var text = piece.trimmingBlanks()
        if let scheme = text.firstRange(of: "://") { text = text[scheme.upperBound...] }
        guard !text.isEmpty else { return nil }
        if !text.hasPrefix("["), !text.contains(":") { text = text + ":9876" }
        guard let colon = text.lastIndex(of: ":"), UInt16(text[text.index(after: colon)...]) != nil,
            colon != text.startIndex, !text.contains(where: \.isWhitespace)
        else {
            throw MQClientError(
                .invalidAddress,
                "\"\(piece)\" is not a name server address: write host:port, such as 127.0.0.1:9876."
            )
        }
        return String(text)
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> Substring {
        let tail = drop(while: \.isWhitespace)
        guard let last = tail.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return tail[...last]
    }
}
