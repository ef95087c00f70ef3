import MQProtocol
import NIOCore

/// The properties of a received message: read where they lie when they are asked for, because most handlers look at a
/// few of them only.
public struct ReceivedProperties: Sendable {
    /// Property text of the message's record.
    private let text: ByteBuffer

    init(text: ByteBuffer) {
        self.text = text
    }

    /// Names and values that a record cannot hold are left out: empty ones, and those with U+0001 or U+0002.
    public init(_ properties: [String: String]) {
        var all = MessageProperties()
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { all[name] = value }
        text = all.encode()
    }

    /// The value of a name. Each look-up reads the text.
    public subscript(name: String) -> String? {
        let bytes = text.readableBytesUInt8Span
        guard let range = PropertyScan.value(of: name, in: bytes) else { return nil }
        return text.getString(at: text.readerIndex + range.lowerBound, length: range.count)
    }

    public var isEmpty: Bool { MessageProperties(text: text).isEmpty }

    /// All of them.
    public var dictionary: [String: String] {
        Dictionary(uniqueKeysWithValues: map { ($0.key, $0.value) })
    }
}

extension ReceivedProperties: Sequence {
    /// In the order of the record, each name once.
    public func makeIterator() -> IndexingIterator<[(key: String, value: String)]> {
        MessageProperties(text: text).map { (key: $0.name, value: $0.value) }.makeIterator()
    }
}

extension ReceivedProperties: Hashable {
    /// Equal with the same names and values, in whatever order.
    public static func == (lhs: ReceivedProperties, rhs: ReceivedProperties) -> Bool {
        lhs.dictionary == rhs.dictionary
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(dictionary)
    }
}

extension ReceivedProperties: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(Dictionary(elements) { _, last in last })
    }
}
