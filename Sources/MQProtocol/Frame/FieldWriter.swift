package import NIOCore

/// Writes ext fields straight into the outgoing bytes, in either encoding.
///
/// Names are plain ASCII and never escaped. Values that are nil, or empty in the binary encoding, are left out.
package struct FieldWriter: Sendable {
    var buffer: ByteBuffer
    private let encoding: HeaderEncoding
    private var isFirst = true

    init(_ buffer: ByteBuffer, _ encoding: HeaderEncoding) {
        self.buffer = buffer
        self.encoding = encoding
    }

    package mutating func write(_ name: StaticString, _ value: String) {
        if encoding == .binary {
            guard !value.isEmpty else { return }
            writeBinaryName(name)
            buffer.writeInteger(Int32(clamping: value.utf8.count))
            buffer.writeString(value)
        } else {
            openJSON(name)
            buffer.writeEscaped(value)
            closeJSON()
        }
    }

    package mutating func write(_ name: StaticString, _ value: String?) {
        if let value { write(name, value) }
    }

    package mutating func write(_ name: StaticString, _ value: Int64) {
        if encoding == .binary {
            writeBinaryName(name)
            buffer.writeInteger(Int32(decimalLength(value)))
            buffer.writeDecimal(value)
        } else {
            openJSON(name)
            buffer.writeDecimal(value)
            closeJSON()
        }
    }

    package mutating func write(_ name: StaticString, _ value: Int64?) {
        if let value { write(name, value) }
    }

    package mutating func write(_ name: StaticString, _ value: Int32) {
        write(name, Int64(value))
    }

    package mutating func write(_ name: StaticString, _ value: Int32?) {
        if let value { write(name, Int64(value)) }
    }

    package mutating func write(_ name: StaticString, _ value: Bool) {
        writePlain(name) { buffer in
            buffer.writeStaticString(value ? "true" : "false")
        }
    }

    package mutating func write(_ name: StaticString, _ value: Bool?) {
        if let value { write(name, value) }
    }

    package mutating func write(_ name: StaticString, _ value: Timestamp) {
        write(name, value.milliseconds)
    }

    package mutating func write(_ name: StaticString, _ value: LogOffset) {
        write(name, value.rawValue)
    }

    package mutating func write(_ name: StaticString, _ value: QueueOffset) {
        write(name, value.rawValue)
    }

    package mutating func write(_ name: StaticString, _ value: QueueOffset?) {
        if let value { write(name, value.rawValue) }
    }

    package mutating func write(_ name: StaticString, _ value: SysFlag) {
        write(name, Int64(value.rawValue))
    }

    /// Text as bytes, escaped where the encoding asks for it.
    package mutating func write(_ name: StaticString, text: ByteBuffer) {
        if encoding == .binary {
            guard text.readableBytes > 0 else { return }
            writeBinaryName(name)
            buffer.writeInteger(Int32(clamping: text.readableBytes))
            buffer.writeImmutableBuffer(text)
        } else {
            openJSON(name)
            buffer.writeEscaped(text.readableBytesUInt8Span)
            closeJSON()
        }
    }

    /// A value whose characters need no escape, written by the closure.
    package mutating func writePlain(_ name: StaticString, _ body: (inout ByteBuffer) -> Void) {
        if encoding == .binary {
            writeBinaryName(name)
            let lengthIndex = buffer.writerIndex
            buffer.writeInteger(Int32(0))
            body(&buffer)
            buffer.setInteger(Int32(clamping: buffer.writerIndex - lengthIndex - 4), at: lengthIndex)
        } else {
            openJSON(name)
            body(&buffer)
            closeJSON()
        }
    }

    /// A field whose name is only known at run time; names longer than 32767 bytes are left out.
    package mutating func write(_ name: String, _ value: String) {
        if encoding == .binary {
            guard !value.isEmpty, !name.isEmpty, let length = Int16(exactly: name.utf8.count) else { return }
            buffer.writeInteger(length)
            buffer.writeString(name)
            buffer.writeInteger(Int32(clamping: value.utf8.count))
            buffer.writeString(value)
        } else {
            buffer.writeStaticString(isFirst ? "\"" : ",\"")
            isFirst = false
            buffer.writeEscaped(name)
            buffer.writeStaticString("\":\"")
            buffer.writeEscaped(value)
            closeJSON()
        }
    }

    private mutating func writeBinaryName(_ name: StaticString) {
        buffer.writeInteger(Int16(truncatingIfNeeded: name.utf8CodeUnitCount))
        buffer.writeStaticString(name)
    }

    private mutating func openJSON(_ name: StaticString) {
        buffer.writeStaticString(isFirst ? "\"" : ",\"")
        isFirst = false
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":\"")
    }

    private mutating func closeJSON() {
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
