package import NIOCore

/// Frames are written straight into the connection's outgoing buffer; lengths are filled in behind.
///
/// A header that would not fit the 24 bits of its length (only a forwarded one can be that long) is written again
/// without fields and remark.
extension ByteBuffer {
    /// Appends a request. `extra` follows the header's own fields.
    package mutating func writeRequest(
        _ code: RequestCode,
        opaque: Int32,
        oneWay: Bool = false,
        encoding: HeaderEncoding = .json,
        header: some CommandHeader,
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        remark: String? = nil
    ) {
        let head = FrameHead(
            code: code.rawValue,
            opaque: opaque,
            flag: oneWay ? Frame.oneWayBit : 0,
            encoding: encoding,
            remark: remark
        )
        writeFrameHead(head, header: header, extra: extra, bodyBytes: body?.readableBytes ?? 0)
        if let body { writeImmutableBuffer(body) }
    }

    /// Appends the answer to a request, in the request's encoding. `extra` follows the header's own fields.
    package mutating func writeResponse(
        _ code: ResponseCode,
        to request: ReplyTo,
        remark: String? = nil,
        header: some CommandHeader = EmptyHeader(),
        body: ByteBuffer? = nil,
        extra: [(String, String)] = []
    ) {
        let bodyBytes = body?.readableBytes ?? 0
        writeResponseHead(code, to: request, remark: remark, header: header, bodyBytes: bodyBytes, extra: extra)
        if let body { writeImmutableBuffer(body) }
    }

    /// Appends everything of an answer but its body: the caller appends exactly `bodyBytes` bytes next.
    package mutating func writeResponseHead(
        _ code: ResponseCode,
        to request: ReplyTo,
        remark: String? = nil,
        header: some CommandHeader = EmptyHeader(),
        bodyBytes: Int,
        extra: [(String, String)] = []
    ) {
        let head = FrameHead(
            code: code.rawValue,
            opaque: request.opaque,
            flag: Frame.responseBit,
            encoding: request.encoding,
            remark: remark
        )
        writeFrameHead(head, header: header, extra: extra, bodyBytes: bodyBytes)
    }

    /// Appends a frame as it is: for relays and tests.
    package mutating func writeFrame(_ frame: Frame) {
        let head = FrameHead(
            code: frame.code,
            opaque: frame.opaque,
            flag: frame.flag,
            encoding: frame.encoding,
            remark: frame.remark,
            language: frame.language,
            version: frame.version
        )
        if frame.fields.isEmpty {
            writeFrameHead(head, header: EmptyHeader(), extra: [], bodyBytes: frame.body.readableBytes)
        } else {
            writeFrameHead(head, header: frame.fields, extra: [], bodyBytes: frame.body.readableBytes)
        }
        writeImmutableBuffer(frame.body)
    }
}

/// The members of a frame header that every frame has.
struct FrameHead {
    var code: Int32
    var opaque: Int32
    var flag: Int32
    var encoding: HeaderEncoding
    var remark: String?
    var language = LanguageCode.other
    var version = ProtocolVersion.current
}

extension ByteBuffer {
    private mutating func writeFrameHead(
        _ head: FrameHead,
        header: some CommandHeader,
        extra: [(String, String)],
        bodyBytes: Int
    ) {
        let start = writerIndex
        writeInteger(UInt64(0))
        switch head.encoding {
        case .json: writeJSONHead(head, header, extra)
        case .binary: writeBinaryHead(head, header, extra)
        }
        let headerBytes = writerIndex - start - 8
        guard headerBytes <= Frame.maximumHeaderBytes else {
            moveWriterIndex(to: start)
            var head = head
            head.remark = nil
            return writeFrameHead(head, header: EmptyHeader(), extra: [], bodyBytes: bodyBytes)
        }
        setInteger(UInt32(clamping: 4 + headerBytes + bodyBytes), at: start)
        setInteger(UInt32(head.encoding.rawValue) << 24 | UInt32(headerBytes), at: start + 4)
    }

    private mutating func writeJSONHead(
        _ head: FrameHead,
        _ header: some CommandHeader,
        _ extra: [(String, String)]
    ) {
        let hasFields = header.hasFields || !extra.isEmpty
        if head.code == 0, hasFields {
            writeStaticString("{\"code\":0,\"extFields\":{")
        } else {
            writeStaticString("{\"code\":")
            writeDecimal(Int64(head.code))
            if hasFields { writeStaticString(",\"extFields\":{") }
        }
        if hasFields {
            writeFields(.json, header, extra)
            writeStaticString("}")
        }
        if head.flag == Frame.responseBit, head.language == .other {
            writeStaticString(",\"flag\":1,\"language\":\"OTHER\",\"opaque\":")
        } else {
            writeStaticString(",\"flag\":")
            writeDecimal(Int64(head.flag))
            writeStaticString(",\"language\":\"")
            writeString(head.language.name ?? "OTHER")
            writeStaticString("\",\"opaque\":")
        }
        writeDecimal(Int64(head.opaque))
        if let remark = head.remark {
            writeStaticString(",\"remark\":\"")
            writeEscaped(remark)
            writeStaticString("\"")
        }
        writeStaticString(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":")
        writeDecimal(Int64(head.version))
        writeInteger(UInt8(ascii: "}"))
    }

    private mutating func writeBinaryHead(
        _ head: FrameHead,
        _ header: some CommandHeader,
        _ extra: [(String, String)]
    ) {
        writeMultipleIntegers(
            Int16(truncatingIfNeeded: head.code),
            head.language.rawValue,
            Int16(truncatingIfNeeded: head.version),
            head.opaque,
            head.flag
        )
        let remark = head.remark ?? ""
        writeInteger(Int32(clamping: remark.utf8.count))
        writeString(remark)
        let lengthIndex = writerIndex
        writeInteger(Int32(0))
        writeFields(.binary, header, extra)
        setInteger(Int32(clamping: writerIndex - lengthIndex - 4), at: lengthIndex)
    }

    /// The buffer moves into the writer and back, so that it stays uniquely referenced.
    private mutating func writeFields(
        _ encoding: HeaderEncoding,
        _ header: some CommandHeader,
        _ extra: [(String, String)]
    ) {
        var writer = FieldWriter(ByteBuffer(), encoding)
        swap(&self, &writer.buffer)
        header.write(to: &writer)
        for (name, value) in extra {
            writer.write(name, value)
        }
        swap(&self, &writer.buffer)
    }
}
