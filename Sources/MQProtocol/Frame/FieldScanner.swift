/// Walks received ext fields once, entry by entry, without allocating.
///
/// The walk ends at the first entry that breaks its encoding; frames are refused for that (``isMalformed``) before any
/// header sees them, so headers need not look.
struct FieldScanner: ~Escapable {
    private let bytes: Span<UInt8>
    private let encoding: HeaderEncoding
    /// The first byte that was not looked at yet.
    private(set) var position: Int
    private(set) var isMalformed = false
    private(set) var key = FieldPiece(start: 0, end: 0, isEscaped: false)
    /// Meaningless unless ``hasValue``.
    private(set) var value = FieldPiece(start: 0, end: 0, isEscaped: false)
    private(set) var form = Form.null
    private var isFirst = true

    enum Form {
        case null, text
        /// A bare number or boolean; binary values are always text.
        case scalar
        /// The value is an object that starts at ``position``: only frame headers may have one.
        case object
    }

    /// For JSON, `position` is that of the opening brace.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ encoding: HeaderEncoding, position: Int = 0) {
        self.bytes = bytes
        self.encoding = encoding
        self.position = position
        if encoding == .json, position < bytes.count {
            isMalformed = bytes[position] != UInt8(ascii: "{")
            self.position = position + 1
        }
    }

    var hasValue: Bool {
        form != .null
    }

    /// The only byte of a one-letter name; 0 for all other names.
    var shortKey: UInt8 {
        key.end - key.start == 1 ? bytes[key.start] : 0
    }

    var keyLength: Int {
        key.end - key.start
    }

    /// The key's first eight bytes as a number, see ``Swift/Span/word(at:length:)``.
    var keyWord: UInt64 {
        bytes.word(at: key.start, length: key.end &- key.start)
    }

    func isKey(_ name: String) -> Bool {
        let name = name.utf8.span
        return name.count == key.end - key.start && bytes.starts(with: name, at: key.start)
    }

    /// Moves to the next entry; false at the end.
    @_lifetime(self: copy self)
    mutating func next() -> Bool {
        guard !isMalformed else { return false }
        return encoding == .json ? nextJSON() : nextBinary()
    }

    /// Steps over an object that the caller has walked itself.
    @_lifetime(self: copy self)
    mutating func resume(at end: Int) {
        position = end
    }

    @_lifetime(self: copy self)
    private mutating func fail() -> Bool {
        isMalformed = true
        return false
    }
}

// MARK: - Values

extension FieldScanner {
    func int64() throws(HeaderError) -> Int64 {
        guard hasValue else { throw HeaderError(.missingField, keyText) }
        guard let number = parseDecimal(bytes, from: value.start, to: value.end) else {
            throw HeaderError(.invalidNumber, keyText)
        }
        return number
    }

    func int32() throws(HeaderError) -> Int32 {
        guard let number = Int32(exactly: try int64()) else { throw HeaderError(.invalidNumber, keyText) }
        return number
    }

    var bool: Bool {
        hasValue && isTrue(bytes, from: value.start, to: value.end)
    }

    /// Whether the value is this text, which needs no escapes.
    func isValue(_ text: String) -> Bool {
        let text = text.utf8.span
        return hasValue && text.count == value.end - value.start && bytes.starts(with: text, at: value.start)
    }

    private var keyText: String {
        var text = ""
        for index in key.start..<key.end {
            text.unicodeScalars.append(Unicode.Scalar(bytes[index]))
        }
        return text
    }
}

// MARK: - Binary

extension FieldScanner {
    @_lifetime(self: copy self)
    private mutating func nextBinary() -> Bool {
        guard position < bytes.count else { return false }
        guard position + 2 <= bytes.count else { return fail() }
        let keyStart = position + 2
        let keyLength = Int(bytes[position]) << 8 | Int(bytes[position + 1])
        guard keyLength < 0x8000, keyStart + keyLength + 4 <= bytes.count else { return fail() }
        key = FieldPiece(start: keyStart, end: keyStart + keyLength, isEscaped: false)
        var valueLength = 0
        for index in key.end..<key.end + 4 {
            valueLength = valueLength << 8 | Int(bytes[index])
        }
        let valueStart = key.end + 4
        guard valueLength < 0x8000_0000, valueLength <= bytes.count - valueStart else { return fail() }
        value = FieldPiece(start: valueStart, end: valueStart + valueLength, isEscaped: false)
        form = valueLength == 0 || keyLength == 0 ? .null : .text
        position = value.end
        return true
    }
}

// MARK: - JSON

extension FieldScanner {
    /// Walks entries of the form `"x":"…"` as far as they reach: names of one letter, no white space. The header of a
    /// send is nearly all such; any other entry is left to ``next()``.
    @_lifetime(self: copy self)
    mutating func skipLetters(into letters: inout LetterFields, base: Int) {
        guard encoding == .json, !isMalformed else { return }
        while position &+ 9 <= bytes.count, isFirst || bytes[position] == UInt8(ascii: ",") {
            let start = isFirst ? position : position &+ 1
            let word = bytes.bigEndian(UInt64.self, at: start)
            let letter = UInt8(truncatingIfNeeded: word >> 48)
            guard word & 0xFF00_FFFF_FF00_0000 == 0x2200_223A_2200_0000, letter &- UInt8(ascii: "a") < 26 else {
                return
            }
            var end = start &+ 4
            guard let text = Self.scanString(bytes, &end) else { return }
            letters.note(letter, LetterFields.Place(text, base: base))
            position = end
            isFirst = false
        }
    }

    /// Walks members of a frame's header as far as they have the form in which every known client writes them: no white
    /// space, numbers without sign, a Java client's language. Any other member is left to ``next()``.
    ///
    /// A member is told by the eight bytes behind its first quote. In this order: code, flag, opaque, version,
    /// language, serializeTypeCurrentRPC.
    @_lifetime(self: copy self)
    mutating func skipMembers(into frame: inout Frame, hasCode: inout Bool) {
        while position &+ 11 <= bytes.count, isFirst || bytes[position] == UInt8(ascii: ",") {
            let quote = isFirst ? position : position &+ 1
            guard bytes[quote] == UInt8(ascii: "\"") else { return }
            let word = bytes.bigEndian(UInt64.self, at: quote &+ 1)
            switch (word >> 16, word) {
            case (0x636F_6465_223A, _):
                guard skipNumber(at: quote &+ 7, into: &frame.code) else { return }
                hasCode = true
            case (0x666C_6167_223A, _):
                guard skipNumber(at: quote &+ 7, into: &frame.flag) else { return }
            case (_, 0x6F70_6171_7565_223A):
                guard skipNumber(at: quote &+ 9, into: &frame.opaque) else { return }
            case (_, 0x7665_7273_696F_6E22) where bytes[quote &+ 9] == UInt8(ascii: ":"):
                guard skipNumber(at: quote &+ 10, into: &frame.version) else { return }
            case (_, 0x6C61_6E67_7561_6765)
            where quote &+ 17 <= bytes.count && bytes.bigEndian(UInt64.self, at: quote &+ 9) == 0x223A_224A_4156_4122:
                frame.language = .java
                position = quote &+ 17
            case (_, 0x7365_7269_616C_697A) where bytes.starts(with: Self.serialization.span, at: quote):
                position = quote &+ Self.serialization.count
            default:
                return
            }
            isFirst = false
        }
    }

    private static let serialization = Array("\"serializeTypeCurrentRPC\":\"JSON\"".utf8)

    /// Reads a number without sign that a comma or a brace ends, and moves behind it.
    @_lifetime(self: copy self)
    private mutating func skipNumber(at start: Int, into number: inout Int32) -> Bool {
        var value: Int32 = 0
        var index = start
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else {
                let isEnd = bytes[index] == UInt8(ascii: ",") || bytes[index] == UInt8(ascii: "}")
                guard isEnd, index > start else { return false }
                number = value
                position = index
                return true
            }
            let (next, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow, next <= .max - 9 else { return false }
            value = next &+ Int32(digit)
            index &+= 1
        }
        return false
    }

    @_lifetime(self: copy self)
    private mutating func nextJSON() -> Bool {
        var index = position
        var byte = Self.pastSpace(bytes, &index)
        if byte == UInt8(ascii: "}") {
            position = index + 1
            return false
        }
        if !isFirst {
            guard byte == UInt8(ascii: ",") else { return fail() }
            index &+= 1
            byte = Self.pastSpace(bytes, &index)
        }
        isFirst = false
        guard byte == UInt8(ascii: "\""), let name = Self.scanString(bytes, &index) else { return fail() }
        key = name
        guard Self.pastSpace(bytes, &index) == UInt8(ascii: ":") else { return fail() }
        index &+= 1
        let first = Self.pastSpace(bytes, &index)
        if first == UInt8(ascii: "\"") {
            guard let text = Self.scanString(bytes, &index) else { return fail() }
            value = text
            form = .text
            position = index
            return true
        }
        position = index
        return scanBare(first)
    }

    /// A value without quotes, at ``position``.
    @_lifetime(self: copy self)
    private mutating func scanBare(_ first: UInt8) -> Bool {
        switch first {
        case UInt8(ascii: "{"):
            form = .object
        case UInt8(ascii: "n"):
            guard scanWord("null") else { return fail() }
            form = .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            let start = position
            guard scanWord(first == UInt8(ascii: "t") ? "true" : "false") else { return fail() }
            value = FieldPiece(start: start, end: position, isEscaped: false)
            form = .scalar
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            value = scanNumber()
            form = .scalar
        default:
            return fail()
        }
        return true
    }

    /// The next byte that is no white space; 0, which stands nowhere in JSON, at the end.
    @inline(__always)
    private static func pastSpace(_ bytes: Span<UInt8>, _ index: inout Int) -> UInt8 {
        while index < bytes.count {
            let byte = bytes[index]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || (0x09...0x0D).contains(byte) else { return byte }
            index &+= 1
        }
        return 0
    }

    @_lifetime(self: copy self)
    private mutating func scanNumber() -> FieldPiece {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
            default:
                return FieldPiece(start: start, end: position, isEscaped: false)
            }
        }
        return FieldPiece(start: start, end: position, isEscaped: false)
    }

    @_lifetime(self: copy self)
    private mutating func scanWord(_ word: String) -> Bool {
        guard bytes.starts(with: word.utf8.span, at: position) else { return false }
        position += word.utf8.count
        return true
    }

    /// From an opening quote to behind the closing one. Escapes that are not JSON's own end the walk: the lenient
    /// reader takes over.
    @inline(__always)
    private static func scanString(_ bytes: Span<UInt8>, _ index: inout Int) -> FieldPiece? {
        let start = index &+ 1
        var end = bytes.endOfJSONText(from: start)
        var isEscaped = false
        while end < bytes.count, bytes[end] == UInt8(ascii: "\\") {
            guard let length = escapeLength(bytes, at: end + 1) else { return nil }
            isEscaped = true
            end = bytes.endOfJSONText(from: end &+ 1 &+ length)
        }
        guard end < bytes.count else { return nil }
        index = end &+ 1
        return FieldPiece(start: start, end: end, isEscaped: isEscaped)
    }
}
