import NIOCore

/// How the driver writes its frame headers. RocketMQ's clients use JSON unless they are told otherwise.
enum WireEncoding: String, Sendable, CaseIterable {
    case json
    case binary
}

/// A complete request frame built once; sending it again costs one copy and a few patched digits.
///
/// The numbers that change have a fixed width in the template: the opaque (ten digits, or four bytes in a binary
/// header), the born timestamp (thirteen digits), the last sixteen digits of the unique id, and one digit of queue id.
struct FrameTemplate: Sendable {
    /// Opaque of slot zero. Ten digits for every slot the driver can have.
    static let opaqueBase: Int32 = 1_000_000_000
    /// Where the opaque begins in a header, whatever the request: the echo server patches its answer without parsing.
    static let jsonOpaqueOffset = 10
    static let binaryOpaqueOffset = 5
    static let bornTimestampMark = "1000000000000"
    static let uniqueMark = "0000000000000001"
    static let queueMark = "7"

    let bytes: ByteBuffer
    let encoding: WireEncoding
    let opaqueOffset: Int
    private let bornTimestampOffset: Int?
    private let uniqueOffset: Int?
    private let queueOffset: Int?

    init(code: Int, fields: [(String, String)], body: ByteBuffer, encoding: WireEncoding, queueField: String? = nil) {
        let frame = FrameTemplate.encode(code: code, fields: fields, body: body, encoding: encoding)
        bytes = frame.bytes
        self.encoding = encoding
        opaqueOffset = frame.opaqueOffset
        bornTimestampOffset = frame.bytes.offset(of: Self.bornTimestampMark)
        uniqueOffset = frame.bytes.offset(of: Self.uniqueMark)
        queueOffset = queueField.flatMap { name in
            let mark = FrameTemplate.encodedField(name: name, value: Self.queueMark, encoding: encoding)
            return frame.bytes.offset(of: mark).map { $0 + mark.utf8.count - (encoding == .json ? 2 : 1) }
        }
    }

    /// Appends the frame with its changing numbers filled in.
    ///
    /// - Parameters:
    ///   - unique: makes the unique id differ from message to message.
    ///   - queue: at most 9.
    func write(slot: Int, bornMilliseconds: Int64, unique: UInt64, queue: Int, into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeImmutableBuffer(bytes)
        writeOpaque(slot: slot, at: start + opaqueOffset, in: &buffer)
        if let offset = bornTimestampOffset {
            buffer.setDigits(UInt64(clamping: bornMilliseconds), width: 13, at: start + offset)
        }
        if let offset = uniqueOffset {
            buffer.setDigits(unique, width: 16, at: start + offset)
        }
        if let offset = queueOffset {
            buffer.setInteger(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: queue), at: start + offset)
        }
    }

    private func writeOpaque(slot: Int, at offset: Int, in buffer: inout ByteBuffer) {
        let opaque = Self.opaqueBase &+ Int32(truncatingIfNeeded: slot)
        switch encoding {
        case .json: buffer.setDigits(UInt64(opaque), width: 10, at: offset)
        case .binary: buffer.setInteger(opaque, at: offset)
        }
    }
}

extension FrameTemplate {
    /// The fields' encoding of JSON that `queueField` searches for; in a binary header the value follows its length.
    private static func encodedField(name: String, value: String, encoding: WireEncoding) -> String {
        switch encoding {
        case .json: "\"\(name)\":\"\(value)\""
        case .binary: "\(name)\0\0\0\u{1}\(value)"
        }
    }

    /// Encodes a request whose opaque is ``opaqueBase``.
    static func encode(
        code: Int, fields: [(String, String)], body: ByteBuffer, encoding: WireEncoding
    ) -> (bytes: ByteBuffer, opaqueOffset: Int) {
        var header = ByteBuffer()
        let opaqueInHeader: Int
        switch encoding {
        case .json:
            opaqueInHeader = jsonOpaqueOffset
            let text = fields.map { encodedField(name: $0.0, value: $0.1, encoding: .json) }.joined(separator: ",")
            header.writeString(
                "{\"opaque\":\(opaqueBase),\"code\":\(code),\"extFields\":{\(text)},\"flag\":0,\"language\":\"JAVA\","
                    + "\"serializeTypeCurrentRPC\":\"JSON\",\"version\":409}"
            )
        case .binary:
            opaqueInHeader = binaryOpaqueOffset
            writeBinaryHeader(code: code, fields: fields, into: &header)
        }
        var frame = ByteBuffer()
        frame.writeInteger(Int32(4 + header.readableBytes + body.readableBytes))
        frame.writeInteger(Int32(header.readableBytes) | (encoding == .json ? 0 : 1 << 24))
        frame.writeImmutableBuffer(header)
        frame.writeImmutableBuffer(body)
        return (frame, 8 + opaqueInHeader)
    }

    private static func writeBinaryHeader(code: Int, fields: [(String, String)], into header: inout ByteBuffer) {
        header.writeInteger(Int16(code))
        header.writeInteger(UInt8(0))
        header.writeInteger(Int16(409))
        header.writeInteger(opaqueBase)
        header.writeInteger(Int32(0))
        header.writeInteger(Int32(0))
        var entries = ByteBuffer()
        for (name, escaped) in fields {
            let value = escaped.unescapingControls()
            entries.writeInteger(Int16(name.utf8.count))
            entries.writeString(name)
            entries.writeInteger(Int32(value.utf8.count))
            entries.writeString(value)
        }
        header.writeInteger(Int32(entries.readableBytes))
        header.writeImmutableBuffer(entries)
    }
}

extension String {
    /// Property texts are given as JSON writes them; a binary header carries the bytes themselves.
    fileprivate func unescapingControls() -> String {
        var pieces = split(separator: "\\u000", omittingEmptySubsequences: false).map(String.init)
        guard pieces.count > 1 else { return self }
        for index in pieces.indices.dropFirst() {
            let control = pieces[index].first == "1" ? "\u{1}" : "\u{2}"
            pieces[index] = control + pieces[index].dropFirst()
        }
        return pieces.joined()
    }
}

extension ByteBuffer {
    /// Where `text` begins, counted from the reader index.
    fileprivate func offset(of text: String) -> Int? {
        let mark = Array(text.utf8)
        let bytes = Array(readableBytesView)
        guard bytes.count >= mark.count else { return nil }
        return (0...(bytes.count - mark.count)).first { start in
            bytes[start] == mark[0] && bytes[start..<(start + mark.count)].elementsEqual(mark)
        }
    }

    /// Overwrites `width` bytes at `offset` with the decimal digits of `value`, leading zeros included.
    mutating func setDigits(_ value: UInt64, width: Int, at offset: Int) {
        var rest = value
        var position = offset + width
        while position - offset >= 8 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100_000_000)
            position -= 8
            setInteger(Self.eightDigits(remainder), at: position)
            rest = quotient
        }
        while position > offset {
            position -= 1
            setInteger(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10), at: position)
            rest /= 10
        }
    }

    /// The eight decimal digits of a number below 100,000,000 as one big-endian word.
    private static func eightDigits(_ value: UInt64) -> UInt64 {
        var word: UInt64 = 0
        var rest = value
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            word |= (0x30 | digit) << shift
            rest = quotient
        }
        return word
    }
}
