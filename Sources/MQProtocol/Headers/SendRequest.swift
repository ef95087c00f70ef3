package import NIOCore

/// A received send: codes 10, 310, 320, 324 and 325.
///
/// Numbers are read at once. Texts stay where they lie until they are asked for, so that the usual send, of which the
/// broker needs none as a string, allocates nothing. The long and the one-letter names are both read, whatever the code
/// says.
package struct SendRequest: Sendable {
    /// Of the fields, as ``HeaderFields/bytes``.
    private let bytes: ByteBuffer
    private var groupPiece = FieldPiece.empty
    private var topicPiece = FieldPiece.empty
    private var defaultTopicPiece = FieldPiece.empty
    private var propertiesPiece = FieldPiece.empty
    /// Queues wanted for a topic that this message creates.
    package private(set) var defaultTopicQueueCount: Int32 = 0
    /// Negative: the broker chooses.
    package private(set) var queueID: Int32 = 0
    package private(set) var sysFlag = SysFlag(rawValue: 0)
    package private(set) var bornTimestamp = Timestamp.zero
    package private(set) var flag: Int32 = 0
    package private(set) var reconsumeTimes: Int32 = 0
    package private(set) var unitMode = false
    /// Nil: the group's own limit. Only `%RETRY%` topics use it.
    package private(set) var maximumReconsumeTimes: Int32?
    /// The body is a batch, whatever the code is.
    package private(set) var isBatch = false

    package init(_ fields: borrowing HeaderFields) throws(HeaderError) {
        let bytes = fields.bytes
        self.bytes = bytes
        var letters = fields.letters
        var isShort = true
        if !letters.areComplete { (letters, isShort) = Self.letters(of: fields) }
        try read(letters, bytes.readableBytesUInt8Span, isShort: isShort)
    }

    private mutating func read(
        _ values: borrowing LetterFields, _ bytes: Span<UInt8>, isShort: Bool
    ) throws(HeaderError) {
        groupPiece = values.a.piece
        topicPiece = values.b.piece
        defaultTopicPiece = values.c.piece
        propertiesPiece = values.i.piece
        func number<Number: FixedWidthInteger>(
            _ place: LetterFields.Place, _ letter: String, _ name: String
        ) throws(HeaderError) -> Number {
            guard place.isPresent else { return 0 }
            let piece = place.piece
            guard let number = parseDecimal(bytes, from: piece.start, to: piece.end),
                let exact = Number(exactly: number)
            else { throw HeaderError(.invalidNumber, isShort ? letter : name) }
            return exact
        }
        defaultTopicQueueCount = try number(values.d, "d", "defaultTopicQueueNums")
        queueID = try number(values.e, "e", "queueId")
        sysFlag = SysFlag(rawValue: try number(values.f, "f", "sysFlag"))
        bornTimestamp = Timestamp(milliseconds: try number(values.g, "g", "bornTimestamp"))
        flag = try number(values.h, "h", "flag")
        reconsumeTimes = try number(values.j, "j", "reconsumeTimes")
        if values.l.isPresent { maximumReconsumeTimes = try number(values.l, "l", "maxReconsumeTimes") }
        guard values.areComplete else { throw HeaderError(.missingField, Self.firstMissing(copy values)) }
        unitMode = isTrue(bytes, from: values.k.piece.start, to: values.k.piece.end)
        // Stock brokers read the C++ client's "1" as false and store its batch as one unreadable message.
        let batch = values.m.piece
        isBatch =
            isTrue(bytes, from: batch.start, to: batch.end)
            || batch.end - batch.start == 1 && bytes[batch.start] == UInt8(ascii: "1")
    }

    package var producerGroup: String { bytes.string(groupPiece) }
    package var topic: String { bytes.string(topicPiece) }
    package var defaultTopic: String { bytes.string(defaultTopicPiece) }
    /// The encoded text. Invalid UTF-8 is kept as it came.
    package var properties: ByteBuffer { bytes.slice(propertiesPiece) }

    /// Replaces the buffer's content by ``properties`` and one more.
    ///
    /// - Parameter property: its text, without a separator.
    package func writeProperties(into buffer: inout ByteBuffer, followedBy property: [UInt8]) {
        let (start, end) = (propertiesPiece.start, propertiesPiece.end)
        // Unescaped text is no longer, but up to eight bytes behind it are written too.
        let room = end - start + 1 + max(property.count, 8)
        buffer.clear(minimumCapacity: room)
        buffer.moveWriterIndex(to: room)
        var output = buffer.mutableReadableBytesSpan
        var length = end - start
        let text = bytes.readableBytesUInt8Span
        if propertiesPiece.isEscaped {
            length = unescape(text, from: start, to: end, into: &output, at: 0)
        } else {
            output.copy(text.extracting(start..<end), to: 0)
        }
        if length > 0, !property.isEmpty, output.byte(at: length - 1) != PropertyScan.itemEnd {
            output.append(PropertyScan.itemEnd, at: &length)
        }
        output.append(property.span, at: &length)
        buffer.moveWriterIndex(to: length)
    }

    /// Whether ``topic`` is this name; compares bytes.
    package func isFor(topic name: [UInt8]) -> Bool {
        name.count == topicPiece.end - topicPiece.start && !topicPiece.isEscaped
            && bytes.readableBytesUInt8Span.starts(with: name.span, at: topicPiece.start)
    }

    /// Of the fields that every send has.
    private static func firstMissing(_ values: LetterFields) -> String {
        let mandatory = [
            (values.a, "producerGroup"), (values.b, "topic"), (values.c, "defaultTopic"),
            (values.d, "defaultTopicQueueNums"), (values.e, "queueId"), (values.f, "sysFlag"),
            (values.g, "bornTimestamp"), (values.h, "flag"),
        ]
        return mandatory.first { !$0.0.isPresent }?.1 ?? ""
    }

    /// Walks fields of any encoding and with names of either kind, and says whether it met letters.
    private static func letters(of fields: borrowing HeaderFields) -> (LetterFields, isShort: Bool) {
        var values = LetterFields()
        var isShort = false
        var scanner = FieldScanner(fields.bytes.readableBytesUInt8Span, fields.encoding)
        while scanner.next() {
            guard scanner.hasValue else { continue }
            if scanner.keyLength == 1 { isShort = true }
            let letter = scanner.keyLength == 1 ? scanner.shortKey : letter(of: scanner)
            values.note(letter, LetterFields.Place(scanner.value, base: 0))
        }
        return (values, isShort)
    }

    /// The one-letter name that a long name stands for; 0 for fields that are not ours.
    private static func letter(of scanner: borrowing FieldScanner) -> UInt8 {
        switch scanner.keyLength {
        case 4: scanner.isKey("flag") ? UInt8(ascii: "h") : 0
        case 5: scanner.isKey("topic") ? UInt8(ascii: "b") : scanner.isKey("batch") ? UInt8(ascii: "m") : 0
        case 7: scanner.isKey("queueId") ? UInt8(ascii: "e") : scanner.isKey("sysFlag") ? UInt8(ascii: "f") : 0
        case 8: scanner.isKey("unitMode") ? UInt8(ascii: "k") : 0
        case 10: scanner.isKey("properties") ? UInt8(ascii: "i") : 0
        case 12: scanner.isKey("defaultTopic") ? UInt8(ascii: "c") : 0
        case 13:
            scanner.isKey("producerGroup")
                ? UInt8(ascii: "a") : scanner.isKey("bornTimestamp") ? UInt8(ascii: "g") : 0
        case 14: scanner.isKey("reconsumeTimes") ? UInt8(ascii: "j") : 0
        case 17: scanner.isKey("maxReconsumeTimes") ? UInt8(ascii: "l") : 0
        case 21: scanner.isKey("defaultTopicQueueNums") ? UInt8(ascii: "d") : 0
        default: 0
        }
    }
}
