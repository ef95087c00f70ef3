package import NIOCore

/// The ext fields of a received frame, still in the form in which they arrived.
///
/// Nothing is allocated until a value is asked for. Every lookup walks the fields once, so headers of hot requests walk
/// them once for all their members instead (``FieldScanner``). A name that occurs twice has its last value.
package struct HeaderFields: Sendable {
    /// JSON: the object's text, both braces included, already checked. Binary: the entries without their total length.
    package let bytes: ByteBuffer
    package let encoding: HeaderEncoding
    /// Those that the check of a JSON header came by; none otherwise.
    let letters: LetterFields

    /// No fields.
    package init() {
        self.init(checked: ByteBuffer(), encoding: .binary)
    }

    init(checked bytes: ByteBuffer, encoding: HeaderEncoding, letters: LetterFields = LetterFields()) {
        self.bytes = bytes
        self.encoding = encoding
        self.letters = letters
    }

    package var isEmpty: Bool {
        var scanner = FieldScanner(bytes.readableBytesUInt8Span, encoding)
        return !scanner.next()
    }

    package func string(_ name: String) -> String? {
        guard let value = last(name) else { return nil }
        return string(value)
    }

    /// Nil when the field is missing or not a number.
    package func int32(_ name: String) -> Int32? {
        int64(name).flatMap(Int32.init(exactly:))
    }

    /// Nil when the field is missing or not a number.
    package func int64(_ name: String) -> Int64? {
        guard let value = last(name) else { return nil }
        return parseDecimal(bytes.readableBytesUInt8Span, from: value.start, to: value.end)
    }

    /// `true` in any case is true, every other text false.
    package func bool(_ name: String) -> Bool? {
        guard let value = last(name) else { return nil }
        return isTrue(bytes.readableBytesUInt8Span, from: value.start, to: value.end)
    }

    package func requiredString(_ name: String) throws(HeaderError) -> String {
        guard let value = string(name) else { throw HeaderError(.missingField, name) }
        return value
    }

    package func requiredInt32(_ name: String) throws(HeaderError) -> Int32 {
        let value = try requiredInt64(name)
        guard let narrow = Int32(exactly: value) else { throw HeaderError(.invalidNumber, name) }
        return narrow
    }

    package func requiredInt64(_ name: String) throws(HeaderError) -> Int64 {
        guard let value = last(name) else { throw HeaderError(.missingField, name) }
        guard let number = parseDecimal(bytes.readableBytesUInt8Span, from: value.start, to: value.end) else {
            throw HeaderError(.invalidNumber, name)
        }
        return number
    }

    package func requiredBool(_ name: String) throws(HeaderError) -> Bool {
        guard let value = bool(name) else { throw HeaderError(.missingField, name) }
        return value
    }

    /// All fields that have a value, in the order in which they arrived.
    package func forEach<Failure: Error>(
        _ body: (_ name: String, _ value: String) throws(Failure) -> Void
    ) throws(Failure) {
        var scanner = FieldScanner(bytes.readableBytesUInt8Span, encoding)
        while scanner.next() {
            guard scanner.hasValue else { continue }
            try body(string(scanner.key), string(scanner.value))
        }
    }

    /// Bytes of a piece that a ``FieldScanner`` over these fields has found, without copying unless it has escapes.
    func slice(_ piece: FieldPiece) -> ByteBuffer { bytes.slice(piece) }

    /// Invalid UTF-8 is repaired with U+FFFD, as Java does.
    func string(_ piece: FieldPiece) -> String { bytes.string(piece) }

    private func last(_ name: String) -> FieldPiece? {
        var found: FieldPiece?
        var scanner = FieldScanner(bytes.readableBytesUInt8Span, encoding)
        while scanner.next() {
            if scanner.isKey(name) {
                found = scanner.hasValue ? scanner.value : nil
            }
        }
        return found
    }
}

extension ByteBuffer {
    func slice(_ piece: FieldPiece) -> ByteBuffer {
        if !piece.isEscaped { return slice(readerIndex + piece.start..<readerIndex + piece.end) }
        var copy = ByteBuffer()
        copy.writeUnescaped(readableBytesUInt8Span, from: piece.start, to: piece.end)
        return copy
    }

    func string(_ piece: FieldPiece) -> String {
        if !piece.isEscaped {
            return getString(at: readerIndex + piece.start, length: piece.end - piece.start) ?? ""
        }
        return String(buffer: slice(piece))
    }
}

/// A part of some ext fields: positions relative to their first byte.
struct FieldPiece: Sendable {
    static let empty = FieldPiece(start: 0, end: 0, isEscaped: false)

    var start: Int
    var end: Int
    /// JSON escapes must be resolved before the bytes mean anything.
    var isEscaped: Bool
}
