import NIOCore

/// The bytes in front of a value in a response header, in both encodings, prepared once.
struct FieldMark: Sendable {
    fileprivate let json: [UInt8]
    fileprivate let binary: [UInt8]

    init(_ name: String) {
        json = Array("\"\(name)\":\"".utf8)
        binary = Array(name.utf8)
    }

    static let queueOffset = FieldMark("queueOffset")
    static let messageID = FieldMark("msgId")
    static let nextBeginOffset = FieldMark("nextBeginOffset")

    fileprivate static let code = Array("\"code\":".utf8)
    fileprivate static let opaque = Array("\"opaque\":".utf8)
}

/// One response, looked at no further than the driver must: its slot, its code, and numbers asked for by name.
struct Response {
    let slot: Int
    let code: Int
    let header: ByteBuffer
    let body: ByteBuffer
    let encoding: WireEncoding

    /// The decimal number that a header field carries.
    func integer(_ mark: FieldMark) -> Int64? {
        let bytes = header.readableBytesUInt8Span
        guard let start = valueStart(mark) else { return nil }
        var value: Int64 = 0
        var index = start
        while index < bytes.count, let digit = bytes.digit(at: index) {
            value = value &* 10 &+ Int64(digit)
            index += 1
        }
        return index > start ? value : nil
    }

    /// The commit-log offset in the `msgId` field: the last sixteen of its hexadecimal digits.
    func logOffset() -> Int64? {
        let bytes = header.readableBytesUInt8Span
        guard let start = valueStart(.messageID) else { return nil }
        var value: Int64 = 0
        var index = start
        while index < bytes.count, let digit = bytes.hexDigit(at: index) {
            value = value << 4 | Int64(digit)
            index += 1
        }
        return index - start >= 32 ? value : nil
    }

    private func valueStart(_ mark: FieldMark) -> Int? {
        let bytes = header.readableBytesUInt8Span
        switch encoding {
        case .json: return bytes.end(of: mark.json)
        case .binary: return bytes.end(of: mark.binary).map { $0 + 4 }
        }
    }
}

/// Cuts responses off the front of what has arrived.
enum ResponseScanner {
    enum Failure: Error {
        case notAResponse(String)
    }

    /// The next complete response, or nil when more bytes are needed.
    static func next(from buffer: inout ByteBuffer) throws(Failure) -> Response? {
        guard let length: Int32 = buffer.getInteger(at: buffer.readerIndex),
            let word: UInt32 = buffer.getInteger(at: buffer.readerIndex + 4)
        else { return nil }
        let headerLength = Int(word & 0xFF_FFFF)
        guard length >= 4, headerLength <= Int(length) - 4 else {
            throw .notAResponse("a frame of \(length) bytes with a header of \(headerLength)")
        }
        guard buffer.readableBytes >= 4 + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        guard let header = buffer.readSlice(length: headerLength),
            let body = buffer.readSlice(length: Int(length) - 4 - headerLength)
        else { return nil }
        let encoding: WireEncoding = word >> 24 == 0 ? .json : .binary
        guard let (code, opaque) = encoding == .json ? scanJSON(header) : scanBinary(header) else {
            throw .notAResponse(String(buffer: header))
        }
        let slot = opaque - Int(FrameTemplate.opaqueBase)
        return Response(slot: slot, code: code, header: header, body: body, encoding: encoding)
    }

    private static func scanBinary(_ header: ByteBuffer) -> (Int, Int)? {
        guard let code: Int16 = header.getInteger(at: header.readerIndex),
            let opaque: Int32 = header.getInteger(at: header.readerIndex + 5)
        else { return nil }
        return (Int(code), Int(opaque))
    }

    private static func scanJSON(_ header: ByteBuffer) -> (Int, Int)? {
        let bytes = header.readableBytesUInt8Span
        guard let code = bytes.number(after: FieldMark.code), let opaque = bytes.number(after: FieldMark.opaque) else {
            return nil
        }
        return (code, opaque)
    }
}

extension Span<UInt8> {
    /// The index behind the first occurrence of `mark`.
    fileprivate func end(of mark: [UInt8]) -> Int? {
        guard let first = mark.first, count >= mark.count else { return nil }
        var start = 0
        while start <= count - mark.count {
            if self[start] == first, matches(mark, at: start) { return start + mark.count }
            start += 1
        }
        return nil
    }

    private func matches(_ mark: [UInt8], at start: Int) -> Bool {
        var index = 1
        while index < mark.count {
            if self[start + index] != mark[index] { return false }
            index += 1
        }
        return true
    }

    fileprivate func number(after mark: [UInt8]) -> Int? {
        guard let start = end(of: mark) else { return nil }
        var value = 0
        var index = start
        while index < count, index - start < 11, let digit = digit(at: index) {
            value = value * 10 + digit
            index += 1
        }
        return index > start ? value : nil
    }

    fileprivate func digit(at index: Int) -> Int? {
        let value = self[index] &- UInt8(ascii: "0")
        return value <= 9 ? Int(value) : nil
    }

    fileprivate func hexDigit(at index: Int) -> Int? {
        if let digit = digit(at: index) { return digit }
        let letter = (self[index] & 0xDF) &- UInt8(ascii: "A")
        return letter < 6 ? Int(letter) + 10 : nil
    }
}
