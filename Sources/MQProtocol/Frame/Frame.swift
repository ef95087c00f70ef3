package import NIOCore

/// How the header of a frame is written: the top byte of its header word.
package enum HeaderEncoding: UInt8, Sendable {
    case json = 0
    case binary = 1
}

/// One request or response, decoded as far as every receiver needs it.
///
/// `fields` and `body` are slices of the bytes that were received: keeping one keeps the whole read alive.
package struct Frame: Sendable {
    /// A ``RequestCode`` or a ``ResponseCode``, depending on ``isResponse``.
    package var code: Int32
    package var language: LanguageCode
    /// The sender's position in RocketMQ's list of releases, see ``ProtocolVersion``.
    package var version: Int32
    /// Ties a response to its request, on one connection and in one direction.
    package var opaque: Int32
    package var flag: Int32
    package var encoding: HeaderEncoding
    package var remark: String?
    package var fields: HeaderFields
    package var body: ByteBuffer

    package init(
        code: Int32,
        language: LanguageCode = .other,
        version: Int32 = ProtocolVersion.current,
        opaque: Int32 = 0,
        flag: Int32 = 0,
        encoding: HeaderEncoding = .json,
        remark: String? = nil,
        fields: HeaderFields = HeaderFields(),
        body: ByteBuffer = ByteBuffer()
    ) {
        self.code = code
        self.language = language
        self.version = version
        self.opaque = opaque
        self.flag = flag
        self.encoding = encoding
        self.remark = remark
        self.fields = fields
        self.body = body
    }

    package static let responseBit: Int32 = 1
    package static let oneWayBit: Int32 = 2
    /// The largest frame that stock peers accept, its length word included.
    package static let maximumBytes = 16_777_216
    /// The header word has 24 bits for the length.
    package static let maximumHeaderBytes = 0xFF_FFFF

    package var isResponse: Bool {
        flag & Self.responseBit != 0
    }

    /// The sender keeps no entry for an answer.
    package var isOneWay: Bool {
        flag & Self.oneWayBit != 0
    }

    package var requestCode: RequestCode {
        RequestCode(rawValue: code)
    }

    package var responseCode: ResponseCode {
        ResponseCode(rawValue: code)
    }

    package var replyTo: ReplyTo {
        ReplyTo(opaque: opaque, encoding: encoding, isOneWay: isOneWay)
    }
}

/// What an answer must know of its request: small enough to be kept while the request waits.
package struct ReplyTo: Hashable, Sendable {
    package var opaque: Int32
    package var encoding: HeaderEncoding
    package var isOneWay: Bool

    package init(opaque: Int32, encoding: HeaderEncoding = .json, isOneWay: Bool = false) {
        self.opaque = opaque
        self.encoding = encoding
        self.isOneWay = isOneWay
    }
}
