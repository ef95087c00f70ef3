import NIOCore

/// Reads the JSON form of a frame header.
///
/// One strict pass records the members and the place of the ext fields. What fastjson would still accept (unquoted
/// keys, single quotes, numbers as text, nested values) takes the slow way through ``JSONReader``.
enum JSONFrameHeader {
    /// - Parameter range: the header in `buffer`, by its indices.
    static func parse(_ buffer: ByteBuffer, _ range: Range<Int>, into frame: inout Frame) throws(FrameError) {
        if parseStrict(buffer, range, into: &frame) { return }
        guard range.count <= maximumLenientBytes else {
            throw FrameError(.malformedHeader, "\(range.count) bytes that are not standard JSON")
        }
        let value: JSONValue
        do {
            value = try JSONReader.parse(buffer.slice(range))
        } catch {
            throw FrameError(.malformedHeader, "\(error)")
        }
        frame = try parseLenient(value)
    }

    /// The lenient way needs memory for every value: no real header of that kind is as long.
    private static let maximumLenientBytes = 65_536

    private static func parseStrict(_ buffer: ByteBuffer, _ range: Range<Int>, into frame: inout Frame) -> Bool {
        frame.reset()
        var hasCode = false
        var hasFields = false
        let offset = range.lowerBound - buffer.readerIndex
        let bytes = buffer.readableBytesUInt8Span.extracting(offset..<offset + range.count)
        guard bytes.count >= 2 else { return false }
        var scanner = FieldScanner(bytes, .json)
        scanner.skipMembers(into: &frame, hasCode: &hasCode)
        while scanner.next() {
            if scanner.form == .object {
                var nested = FieldScanner(bytes, .json, position: scanner.position)
                var letters = LetterFields()
                nested.skipLetters(into: &letters, base: scanner.position)
                while nested.next() {
                    if nested.form == .object { return false }
                    if nested.keyLength == 1, nested.hasValue {
                        letters.note(nested.shortKey, LetterFields.Place(nested.value, base: scanner.position))
                    }
                    nested.skipLetters(into: &letters, base: scanner.position)
                }
                guard !nested.isMalformed else { return false }
                if scanner.keyLength == 9, scanner.isKey("extFields") {
                    let (start, end) = (range.lowerBound + scanner.position, range.lowerBound + nested.position)
                    frame.fields = HeaderFields(checked: buffer.slice(start..<end), encoding: .json, letters: letters)
                    hasFields = true
                }
                scanner.resume(at: nested.position)
            } else if !setMember(&frame, scanner, buffer, range, &hasCode) {
                return false
            }
            scanner.skipMembers(into: &frame, hasCode: &hasCode)
        }
        guard !scanner.isMalformed, hasCode else { return false }
        if !hasFields { frame.fields = HeaderFields() }
        return true
    }

    /// False: a value of a kind that only the lenient way understands.
    private static func setMember(
        _ frame: inout Frame,
        _ scanner: borrowing FieldScanner,
        _ buffer: ByteBuffer,
        _ range: Range<Int>,
        _ hasCode: inout Bool
    ) -> Bool {
        // In this order: code, flag, opaque, version, remark, language; each name as a number.
        switch (scanner.keyLength, scanner.keyWord) {
        case (4, 0x636F_6465):
            hasCode = true
            return setNumber(&frame.code, scanner)
        case (4, 0x666C_6167): return setNumber(&frame.flag, scanner)
        case (6, 0x6F70_6171_7565): return setNumber(&frame.opaque, scanner)
        case (7, 0x76_6572_7369_6F6E): return setNumber(&frame.version, scanner)
        case (6, 0x7265_6D61_726B):
            frame.remark = scanner.hasValue ? text(scanner.value, buffer, range) : nil
            return true
        case (8, 0x6C61_6E67_7561_6765):
            guard scanner.form == .text else { return false }
            frame.language = scanner.isValue("JAVA") ? .java : LanguageCode(name: text(scanner.value, buffer, range))
            return true
        default: return true
        }
    }

    private static func setNumber(_ member: inout Int32, _ scanner: borrowing FieldScanner) -> Bool {
        guard scanner.form == .scalar, let value = try? scanner.int32() else { return false }
        member = value
        return true
    }

    private static func text(_ piece: FieldPiece, _ buffer: ByteBuffer, _ range: Range<Int>) -> String {
        HeaderFields(checked: buffer.slice(range), encoding: .json).string(piece)
    }

    private static func parseLenient(_ header: JSONValue) throws(FrameError) -> Frame {
        guard let code = int32(header["code"]) else { throw FrameError(.malformedHeader, "no code") }
        var frame = Frame(code: code, language: .java, version: 0, encoding: .json)
        switch header["language"] {
        case nil: break
        case .integer(let number)?: frame.language = LanguageCode(rawValue: UInt8(exactly: number) ?? 255)
        case let name?: frame.language = LanguageCode(name: name.text ?? "")
        }
        frame.version = int32(header["version"]) ?? 0
        frame.opaque = int32(header["opaque"]) ?? 0
        frame.flag = int32(header["flag"]) ?? 0
        frame.remark = header["remark"]?.text
        if case .object(let fields)? = header["extFields"] {
            frame.fields = standardFields(fields)
        }
        return frame
    }

    private static func int32(_ value: JSONValue?) -> Int32? {
        value?.integer.flatMap(Int32.init(exactly:))
    }

    /// Rewritten as standard JSON, so that everything behind this point reads one form only.
    private static func standardFields(_ fields: [JSONValue.Member]) -> HeaderFields {
        let members = fields.map { field in
            let text = field.value.text ?? String(buffer: JSONWriter.compact(field.value))
            return JSONValue.Member(.text(field.key.text), field.value == .null ? .null : .string(text))
        }
        return HeaderFields(checked: JSONWriter.compact(.object(members), style: .standard), encoding: .json)
    }
}

extension Frame {
    /// What a JSON header leaves out; fields and body stay until they are replaced.
    fileprivate mutating func reset() {
        code = 0
        language = .java
        version = 0
        opaque = 0
        flag = 0
        encoding = .json
        if remark != nil { remark = nil }
    }
}

/// Reads the ROCKETMQ binary form of a frame header.
enum BinaryFrameHeader {
    static func parse(_ header: ByteBuffer) throws(FrameError) -> Frame {
        var header = header
        guard
            let (code, language, version, opaque, flag, remarkLength) = header.readMultipleIntegers(
                as: (Int16, UInt8, Int16, Int32, Int32, Int32).self
            )
        else { throw FrameError(.malformedHeader, "binary header of \(header.readableBytes) bytes") }
        guard remarkLength >= 0, let remark = header.readString(length: Int(remarkLength)) else {
            throw FrameError(.malformedHeader, "remark of \(remarkLength) bytes")
        }
        guard let fieldsLength = header.readInteger(as: Int32.self), fieldsLength >= 0,
            let entries = header.readSlice(length: Int(fieldsLength))
        else { throw FrameError(.malformedHeader, "ext fields do not fit") }
        try check(entries)
        return Frame(
            code: Int32(code),
            language: LanguageCode(rawValue: language),
            version: Int32(version),
            opaque: opaque,
            flag: flag,
            encoding: .binary,
            remark: remark.isEmpty ? nil : remark,
            fields: HeaderFields(checked: entries, encoding: .binary)
        )
    }

    private static func check(_ entries: ByteBuffer) throws(FrameError) {
        var scanner = FieldScanner(entries.readableBytesUInt8Span, .binary)
        while scanner.next() {}
        if scanner.isMalformed {
            throw FrameError(.malformedHeader, "ext field at \(scanner.position) does not fit")
        }
    }
}
