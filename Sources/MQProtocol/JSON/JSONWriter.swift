package import NIOCore

/// Writes JSON: the standard form, fastjson's compact form, and fastjson's pretty form of RocketMQ's config files.
///
/// Members that are null are left out, as fastjson does.
package struct JSONWriter {
    package enum Style: Sendable {
        /// Keys are always quoted; an object as key is quoted text. Every peer reads it.
        case standard
        /// Integer keys and objects as keys stand bare, as 4.9 brokers write them.
        case fastjson
        /// Standard, with everything outside ASCII escaped and `/` as `\/`: route bodies for newer clients.
        case ascii
    }

    private var buffer = ByteBuffer()
    private let style: Style

    private init(_ style: Style) {
        self.style = style
    }

    package static func compact(_ value: JSONValue, style: Style = .fastjson) -> ByteBuffer {
        var writer = JSONWriter(style)
        writer.write(value)
        return writer.buffer
    }

    /// Tabs, one member per line; maps with integer keys on one line, closed on the next.
    package static func pretty(_ value: JSONValue) -> ByteBuffer {
        var writer = JSONWriter(.fastjson)
        writer.writePretty(value, depth: 0)
        return writer.buffer
    }

    // MARK: Compact

    private mutating func write(_ value: JSONValue) {
        switch value {
        case .array(let elements):
            buffer.writeStaticString("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { buffer.writeStaticString(",") }
                write(element)
            }
            buffer.writeStaticString("]")
        case .object(let members):
            buffer.writeStaticString("{")
            var isFirst = true
            for member in members where member.value != .null {
                if !isFirst { buffer.writeStaticString(",") }
                isFirst = false
                write(member.key)
                buffer.writeStaticString(":")
                write(member.value)
            }
            buffer.writeStaticString("}")
        default: writeLeaf(value)
        }
    }

    private mutating func writeLeaf(_ value: JSONValue) {
        switch value {
        case .bool(let value): buffer.writeString(value ? "true" : "false")
        case .integer(let number): buffer.writeString(String(number))
        case .double(let number): buffer.writeString(number.isFinite ? String(number) : "null")
        case .string(let text): writeQuoted(text)
        default: buffer.writeStaticString("null")
        }
    }

    private mutating func write(_ key: JSONValue.MemberKey) {
        switch (key, style) {
        case (.integer(let number), .fastjson): buffer.writeString(String(number))
        case (.object(let value), .fastjson): write(value)
        default: writeQuoted(key.text)
        }
    }

    private mutating func writeQuoted(_ text: String) {
        buffer.writeStaticString("\"")
        if style == .ascii { buffer.writeEscapedASCII(text) } else { buffer.writeEscaped(text) }
        buffer.writeStaticString("\"")
    }

    // MARK: Pretty

    private mutating func writePretty(_ value: JSONValue, depth: Int) {
        switch value {
        case .object(let members):
            let present = members.filter { $0.value != .null }
            guard let first = present.first else {
                buffer.writeStaticString("{}")
                return
            }
            if case .integer = first.key {
                writeIntegerMap(present, depth: depth)
            } else {
                writeMembers(present, depth: depth)
            }
        case .array(let elements):
            writePretty(elements, depth: depth)
        default: writeLeaf(value)
        }
    }

    private mutating func writeMembers(_ members: [JSONValue.Member], depth: Int) {
        buffer.writeStaticString("{")
        for (index, member) in members.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            writeLineBreak(depth + 1)
            write(member.key)
            buffer.writeStaticString(":")
            writePretty(member.value, depth: depth + 1)
        }
        writeLineBreak(depth)
        buffer.writeStaticString("}")
    }

    private mutating func writeIntegerMap(_ members: [JSONValue.Member], depth: Int) {
        buffer.writeStaticString("{")
        for (index, member) in members.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            write(member.key)
            buffer.writeStaticString(":")
            writePretty(member.value, depth: depth + 1)
        }
        writeLineBreak(depth)
        buffer.writeStaticString("}")
    }

    private mutating func writePretty(_ elements: [JSONValue], depth: Int) {
        let areNumbers = elements.allSatisfy { if case .integer = $0 { true } else { false } }
        guard !areNumbers else { return write(.array(elements)) }
        buffer.writeStaticString("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            writeLineBreak(depth + 1)
            writePretty(element, depth: depth + 1)
        }
        writeLineBreak(depth)
        buffer.writeStaticString("]")
    }

    private mutating func writeLineBreak(_ depth: Int) {
        buffer.writeStaticString("\n")
        buffer.writeRepeatingByte(UInt8(ascii: "\t"), count: depth)
    }
}
