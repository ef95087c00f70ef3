package import NIOCore

/// The properties of a message: names and values in the order they were added.
///
/// Two of them are equal when they have the same names and values, in whatever order: stock brokers reorder them.
package struct MessageProperties: Sendable {
    package typealias Entry = (name: String, value: String)

    private var entries: [Entry] = []

    package init() {}

    /// Reads property text by the rules of ``PropertyScan``. Never fails: what is not an item is left out.
    package init(text: ByteBuffer) {
        let bytes = text.readableBytesUInt8Span
        PropertyScan.forEach(in: bytes, range: 0..<bytes.count) { name, value in
            entries.append((Self.string(bytes, name), Self.string(bytes, value)))
        }
        keepLastOfEachName()
    }

    package init(text: String) {
        self.init(text: ByteBuffer(string: text))
    }

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    /// Setting nil removes the property; a new name goes to the end.
    package subscript(name: String) -> String? {
        get { entries.first { $0.name == name }?.value }
        set {
            let index = entries.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append((name, value))
            case (nil, nil): break
            }
        }
    }

    /// A name that cannot be set: it is empty, its value is empty, or one of them contains a separator. Encoding
    /// leaves such a property out, so whoever takes properties from a user asks first.
    package var firstUnrepresentableName: String? {
        entries.first { !Self.isRepresentable($0) }?.name
    }

    /// Appends the text: no separator behind the last item, as 4.9 brokers write it.
    package func write(to buffer: inout ByteBuffer) {
        var isFirst = true
        for entry in entries where Self.isRepresentable(entry) {
            if !isFirst { buffer.writeInteger(PropertyScan.itemEnd) }
            isFirst = false
            buffer.writeString(entry.name)
            buffer.writeInteger(PropertyScan.nameEnd)
            buffer.writeString(entry.value)
        }
    }

    package func encode() -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(entries.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 })
        write(to: &buffer)
        return buffer
    }

    private static func isRepresentable(_ entry: Entry) -> Bool {
        guard !entry.name.isEmpty, !entry.value.isEmpty else { return false }
        return !entry.name.utf8.contains(PropertyScan.nameEnd) && !entry.name.utf8.contains(PropertyScan.itemEnd)
            && !entry.value.utf8.contains(PropertyScan.itemEnd)
    }

    private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        let part = bytes.extracting(range)
        if let text = try? UTF8Span(validating: part) { return String(copying: text) }
        return String(decoding: part.indices.map { part[$0] }, as: UTF8.self)
    }

    /// A few names are compared with each other; a hostile text may hold thousands, and then a table is cheaper.
    private mutating func keepLastOfEachName() {
        if entries.count <= 16 {
            let isUnique = entries.indices.allSatisfy { index in
                !entries[(index + 1)...].contains { $0.name == entries[index].name }
            }
            if isUnique { return }
        }
        var last: [String: Int] = [:]
        for (index, entry) in entries.enumerated() { last[entry.name] = index }
        guard last.count < entries.count else { return }
        var kept = 0
        for (index, entry) in entries.enumerated() where last[entry.name] == index {
            entries[kept] = entry
            kept += 1
        }
        entries.removeSubrange(kept...)
    }
}

extension MessageProperties: Sequence {
    package func makeIterator() -> IndexingIterator<[Entry]> { entries.makeIterator() }
}

extension MessageProperties: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }
}

extension MessageProperties: Equatable {
    package static func == (lhs: MessageProperties, rhs: MessageProperties) -> Bool {
        guard lhs.count == rhs.count else { return false }
        return lhs.allSatisfy { rhs[$0.name] == $0.value }
    }
}
