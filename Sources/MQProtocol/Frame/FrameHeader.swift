import NIOCore

/// Reads the JSON form of a frame header.
///
/// One strict pass records the members and the place of the ext fields. What fastjson would still accept (unquoted
/// keys, single quotes, numbers as text, nested values) takes the slow way through ``JSONReader``.
enum JSONFrameHeader {
    static func parse(_ header: ByteBuffer) throws(FrameError) -> Frame {
        if let frame = parseStrict(header) { return frame }
        guard header.readableBytes <= maximumLenientBytes else {
            throw FrameError(.malformedHeader, "\(header.readableBytes) bytes that are not standard JSON")
        }
        let value: JSONValue
        do {
            value = try JSONReader.parse(header)
        } catch {
            throw FrameError(.malformedHeader, "\(error)")
        }
        return try parseLenient(value)
    }

    /// The lenient way needs memory for every value: no real header of that kind is as long.
    private static let maximumLenientBytes = 65_536

    private static func parseStrict(_ header: ByteBuffer) -> Frame? {
        var frame = Frame(code: 0, language: .java, version: 0, encoding: .json)
        var hasCode = false
        let bytes = header.readableBytesUInt8Span
        guard bytes.count >= 2 else { return nil }
        var scanner = FieldScanner(bytes, .json)
        while scanner.next() {
            if scanner.form == .object {
                var nested = FieldScanner(bytes, .json, position: scanner.position)
                while nested.next() {
                    if nested.form == .object { return nil }
                }
                guard !nested.isMalformed else { return nil }
                if scanner.isKey("extFields") {
                    frame.fields = fields(of: header, from: scanner.position, to: nested.position)
                }
                scanner.resume(at: nested.position)
            } else if !setMember(&frame, scanner, header, &hasCode) {
                return nil
            }
        }
        guard !scanner.isMalformed, hasCode else { return nil }
        return frame
    }

    private static func fields(of header: ByteBuffer, from start: Int, to end: Int) -> HeaderFields {
        guard let slice = header.getSlice(at: header.readerIndex + start, length: end - start) else {
            return HeaderFields()
        }
        return HeaderFields(checked: slice, encoding: .json)
    }

    /// False: a value of a kind that only the lenient way understands.
    private static func setMember(
        _ frame: inout Frame,
        _ scanner: borrowing FieldScanner,
        _ header: ByteBuffer,
        _ hasCode: inout Bool
    ) -> Bool {
        switch scanner.keyLength {
        case 6 where scanner.isKey("remark"):
            frame.remark = scanner.hasValue ? text(scanner.value, header) : nil
            return true
        case 8 where scanner.isKey("language"):
            guard scanner.form == .text else { return false }
            frame.language = LanguageCode(name: text(scanner.value, header))
            return true
        case 4 where scanner.isKey("code"):
            hasCode = true
            return setNumber(&frame.code, scanner)
        case 4 where scanner.isKey("flag"): return setNumber(&frame.flag, scanner)
        case 6 where scanner.isKey("opaque"): return setNumber(&frame.opaque, scanner)
        case 7 where scanner.isKey("version"): return setNumber(&frame.version, scanner)
        default: return true
        }
    }

    private static func setNumber(_ member: inout Int32, _ scanner: borrowing FieldScanner) -> Bool {
        guard scanner.form == .scalar, let value = try? scanner.int32() else { return false }
        member = value
        return true
    }

    private static func text(_ piece: FieldPiece, _ header: ByteBuffer) -> String {
        HeaderFields(checked: header, encoding: .json).string(piece)
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
