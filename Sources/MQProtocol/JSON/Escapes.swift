import NIOCore

/// Bytes of a standard JSON escape behind its backslash: 1, or 5 for `uXXXX`; nil when it is none.
func escapeLength(_ bytes: Span<UInt8>, at index: Int) -> Int? {
    guard index < bytes.count else { return nil }
    switch bytes[index] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
        UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
        return 1
    case UInt8(ascii: "u"):
        return hexUnit(bytes, at: index + 1) == nil ? nil : 5
    default:
        return nil
    }
}

/// The UTF-16 unit that four hex digits spell.
func hexUnit(_ bytes: Span<UInt8>, at index: Int) -> UInt16? {
    guard index + 4 <= bytes.count else { return nil }
    var unit: UInt16 = 0
    for offset in 0..<4 {
        guard let digit = hexDigit(bytes[index + offset]) else { return nil }
        unit = unit << 4 | UInt16(digit)
    }
    return unit
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// The byte that a one-letter escape stands for.
private func plainByte(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
}

extension ByteBuffer {
    /// Appends the bytes that JSON text between two quotes stands for. A lone surrogate becomes U+FFFD; bytes that are
    /// not UTF-8 stay as they are.
    ///
    /// The escapes must have been checked with ``escapeLength(_:at:)``; what is none is copied.
    mutating func writeUnescaped(_ bytes: Span<UInt8>, from start: Int, to end: Int) {
        // No escape grows: \uXXXX is 6 bytes for at most 3. Eight bytes more because whole words are stored.
        let base = writerIndex
        let room = end - start + 8
        reserveCapacity(minimumWritableBytes: room)
        moveWriterIndex(forwardBy: room)
        let place = base - readerIndex
        var output = mutableReadableBytesSpan
        let length = unescape(bytes, from: start, to: end, into: &output, at: place)
        moveWriterIndex(to: base + length)
    }
}

/// Writes the bytes that JSON text between two quotes stands for, and up to eight bytes behind them.
///
/// - Returns: the bytes written.
func unescape(
    _ bytes: Span<UInt8>,
    from start: Int,
    to end: Int,
    into output: inout MutableRawSpan,
    at place: Int
) -> Int {
    var index = start
    var target = place
    while index < end {
        if index + 8 <= bytes.count {
            let word = bytes.bigEndian(UInt64.self, at: index)
            output.storeBytes(of: word.bigEndian, toByteOffset: target, as: UInt64.self)
            let hits = ByteWord.zeros(word ^ ByteWord.backslashes)
            let plain = min(hits.leadingZeroBitCount >> 3, end - index)
            index += plain
            target += plain
            if plain == 8 || index == end { continue }
        }
        if index + 6 <= end, let control = controlEscape(bytes, at: index) {
            output.append(control, at: &target)
            index += 6
            continue
        }
        let byte = bytes[index]
        index += 1
        if byte != UInt8(ascii: "\\") || index == end {
            output.append(byte, at: &target)
        } else if bytes[index] == UInt8(ascii: "u"), let scalar = escapedScalar(bytes, &index) {
            for unit in scalar.utf8 { output.append(unit, at: &target) }
        } else {
            output.append(plainByte(bytes[index]), at: &target)
            index += 1
        }
    }
    return target - place
}

/// The byte that `\u0000` to `\u0009` at `index` stands for: separators of properties are written so.
@inline(__always)
private func controlEscape(_ bytes: Span<UInt8>, at index: Int) -> UInt8? {
    guard bytes.bigEndian(UInt32.self, at: index) == 0x5C75_3030, bytes[index &+ 4] == UInt8(ascii: "0") else {
        return nil
    }
    let digit = bytes[index &+ 5] &- UInt8(ascii: "0")
    return digit < 10 ? digit : nil
}

/// The scalar of a checked `uXXXX` at `index`, and of the second half of a surrogate pair behind it.
private func escapedScalar(_ bytes: Span<UInt8>, _ index: inout Int) -> Unicode.Scalar? {
    guard let unit = hexUnit(bytes, at: index + 1) else { return nil }
    index += 5
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let replacement: Unicode.Scalar = "\u{FFFD}"
    guard UTF16.isLeadSurrogate(unit), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
        bytes[index + 1] == UInt8(ascii: "u"), let low = hexUnit(bytes, at: index + 2), UTF16.isTrailSurrogate(low)
    else { return replacement }
    index += 6
    return Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)) ?? replacement
}

// MARK: - Writing

/// Whether a byte may not stand as it is between two quotes. DEL is escaped because fastjson does.
private func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
}

extension ByteBuffer {
    /// Appends text between two JSON quotes: quotes, backslashes and control characters are escaped, all else stays.
    mutating func writeEscaped(_ bytes: Span<UInt8>) {
        var escapes = 0
        for index in 0..<bytes.count where needsEscape(bytes[index]) {
            escapes += 1
        }
        writeWithOutputRawSpan(minimumWritableBytes: bytes.count + 5 * escapes) { output in
            for index in 0..<bytes.count {
                let byte = bytes[index]
                if needsEscape(byte) {
                    appendEscape(UInt16(byte), to: &output)
                } else {
                    output.append(byte)
                }
            }
        }
    }

    mutating func writeEscaped(_ text: String) {
        if text.utf8.contains(where: needsEscape) {
            writeEscaped(ByteBuffer(string: text).readableBytesUInt8Span)
        } else {
            writeString(text)
        }
    }

    /// Non-ASCII as `\uXXXX` in upper case and `/` as `\/`: the form of route bodies for clients that read only
    /// standard JSON.
    mutating func writeEscapedASCII(_ text: String) {
        writeWithOutputRawSpan(minimumWritableBytes: 6 * text.utf16.count) { output in
            for unit in text.utf16 {
                if unit == UInt16(UInt8(ascii: "/")) {
                    output.append(UInt8(ascii: "\\"))
                    output.append(UInt8(ascii: "/"))
                } else if unit >= 0x80 || needsEscape(UInt8(truncatingIfNeeded: unit)) {
                    appendEscape(unit, to: &output)
                } else {
                    output.append(UInt8(truncatingIfNeeded: unit))
                }
            }
        }
    }
}

/// The shortest escape of a unit: at most 6 bytes.
private func appendEscape(_ unit: UInt16, to output: inout OutputRawSpan) {
    output.append(UInt8(ascii: "\\"))
    switch unit {
    case 0x22, 0x5C: output.append(UInt8(unit))
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case 0x0A: output.append(UInt8(ascii: "n"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case 0x0D: output.append(UInt8(ascii: "r"))
    default:
        output.append(UInt8(ascii: "u"))
        output.append(upperHexDigit(unit >> 12))
        output.append(upperHexDigit(unit >> 8))
        output.append(upperHexDigit(unit >> 4))
        output.append(upperHexDigit(unit))
    }
}

/// The digit of the lowest four bits.
private func upperHexDigit(_ value: UInt16) -> UInt8 {
    let digit = UInt8(truncatingIfNeeded: value & 0xF)
    return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
}
