package import NIOCore

/// Reads JSON as fastjson writes and accepts it: unquoted, single-quoted and numeric keys, objects as keys, trailing
/// commas. Invalid UTF-8 in strings is repaired with U+FFFD.
///
/// Never allocates more than a small multiple of the text, never recurses deeper than ``maximumDepth``.
package struct JSONReader {
    /// Nesting of arrays, objects and object keys.
    package static let maximumDepth = 64

    private let buffer: ByteBuffer
    private var position = 0
    private var depth = 0

    private init(_ buffer: ByteBuffer) {
        self.buffer = buffer
    }

    package static func parse(_ buffer: ByteBuffer) throws(JSONError) -> JSONValue {
        var reader = JSONReader(buffer)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == buffer.readableBytes else { throw reader.error(.trailingBytes) }
        return value
    }

    package static func parse(_ text: String) throws(JSONError) -> JSONValue {
        try parse(ByteBuffer(string: text))
    }

    // MARK: Bytes

    private func byte(at index: Int) -> UInt8? {
        buffer.getInteger(at: buffer.readerIndex + index)
    }

    private var current: UInt8? { byte(at: position) }

    private func error(_ code: JSONError.Code) -> JSONError {
        JSONError(current == nil && code == .unexpectedByte ? .unexpectedEnd : code, at: position)
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard let ascii = byte.asciiValue, current == ascii else { return false }
        position += 1
        return true
    }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSONValue {
        skipSpace()
        guard let byte = current else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number()
        default: return try word()
        }
    }

    private mutating func enter() throws(JSONError) {
        position += 1
        depth += 1
        guard depth <= Self.maximumDepth else { throw error(.tooDeep) }
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var members: [JSONValue.Member] = []
        while true {
            skipSpace()
            if take("}") { return .object(members) }
            if take(",") { continue }
            let key = try key()
            skipSpace()
            guard take(":") else { throw error(.unexpectedByte) }
            members.append(.init(key, try value()))
            skipSpace()
            guard current == UInt8(ascii: ",") || current == UInt8(ascii: "}") else { throw error(.unexpectedByte) }
        }
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        while true {
            skipSpace()
            if take("]") { return .array(elements) }
            if take(",") { continue }
            elements.append(try value())
            skipSpace()
            guard current == UInt8(ascii: ",") || current == UInt8(ascii: "]") else { throw error(.unexpectedByte) }
        }
    }

    private mutating func key() throws(JSONError) -> JSONValue.MemberKey {
        switch current {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try string())
        default:
            let start = position
            while let byte = current, Self.isBare(byte) { position += 1 }
            guard position > start else { throw error(.unexpectedByte) }
            let text = text(start..<position)
            return Int64(text).map(JSONValue.MemberKey.integer) ?? .text(text)
        }
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "+"), 0x80...:
            true
        default: false
        }
    }

    // MARK: Leaves

    private mutating func word() throws(JSONError) -> JSONValue {
        let start = position
        while let byte = current, Self.isBare(byte) { position += 1 }
        switch text(start..<position) {
        case "null", "undefined", "NaN": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            position = start
            throw error(.unexpectedByte)
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        while let byte = current, Self.isBare(byte) { position += 1 }
        let text = text(start..<position)
        if let integer = Int64(text) { return .integer(integer) }
        // fastjson marks longs and floats with a letter.
        let trimmed = text.last.map { "LFDSB".contains($0) } == true ? String(text.dropLast()) : text
        if let integer = Int64(trimmed) { return .integer(integer) }
        guard let double = Double(trimmed), double.isFinite else {
            position = start
            throw error(.unexpectedByte)
        }
        return .double(double)
    }

    private mutating func string() throws(JSONError) -> String {
        let quote = current
        let start = position + 1
        var isEscaped = false
        position += 1
        while let byte = current, byte != quote {
            position += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            isEscaped = true
            position += try escape()
        }
        guard current == quote else {
            position = min(position, buffer.readableBytes)
            throw error(.unexpectedEnd)
        }
        let range = start..<position
        position += 1
        guard isEscaped else { return text(range) }
        var plain = ByteBuffer()
        plain.writeUnescaped(buffer.readableBytesUInt8Span, from: range.lowerBound, to: range.upperBound)
        return String(buffer: plain)
    }

    /// Bytes of the escape at `position`, which is behind the backslash.
    private func escape() throws(JSONError) -> Int {
        if current == UInt8(ascii: "'") { return 1 }
        guard let length = escapeLength(buffer.readableBytesUInt8Span, at: position) else {
            throw error(.unexpectedByte)
        }
        return length
    }

    private func text(_ range: Range<Int>) -> String {
        buffer.getString(at: buffer.readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
