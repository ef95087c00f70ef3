/// Java's `String.hashCode`, fed piece by piece with UTF-8: over UTF-16 code units u, h = 31·h + u modulo 2³².
///
/// Bytes that are not UTF-8 count as U+FFFD where `String(decoding:)` would put one. A piece must not end inside a
/// character.
package struct JavaHasher: Sendable {
    private var hash: UInt32 = 0

    package init() {}

    package var value: Int32 { Int32(bitPattern: hash) }

    package mutating func combine(_ ascii: Unicode.Scalar) {
        combine(unit: ascii.value)
    }

    package mutating func combine(_ utf8: Span<UInt8>) {
        var position = combineASCII(utf8)
        while position < utf8.count {
            let byte = utf8[position]
            if byte < 0x80 {
                combine(unit: UInt32(byte))
                position += 1
            } else {
                position += combineCharacter(utf8, at: position)
            }
        }
    }

    /// Eight characters at a time, as far as they are ASCII: neighbours are joined to pairs, fours, and all eight.
    ///
    /// - Returns: the bytes consumed.
    private mutating func combineASCII(_ utf8: Span<UInt8>) -> Int {
        var position = 0
        while position &+ 8 <= utf8.count {
            let word = utf8.bigEndian(UInt64.self, at: position)
            guard word & 0x8080_8080_8080_8080 == 0 else { break }
            let pairs = (word >> 8 & 0x00FF_00FF_00FF_00FF) &* 31 &+ (word & 0x00FF_00FF_00FF_00FF)
            let fours = (pairs >> 16 & 0x0000_FFFF_0000_FFFF) &* 961 &+ (pairs & 0x0000_FFFF_0000_FFFF)
            // 31 to the power of 8 and of 4.
            let (high, low) = (UInt32(truncatingIfNeeded: fours >> 32), UInt32(truncatingIfNeeded: fours))
            hash = hash &* 2_487_512_833 &+ high &* 923_521 &+ low
            position &+= 8
        }
        return position
    }

    @inline(__always)
    private mutating func combine(unit: UInt32) {
        hash = hash &* 31 &+ unit
    }

    /// - Returns: the bytes consumed, at least 1: the longest prefix of a character when it is not a whole one.
    private mutating func combineCharacter(_ utf8: Span<UInt8>, at position: Int) -> Int {
        let lead = utf8[position]
        guard let (length, bits, second) = Self.shape(lead) else {
            combine(unit: 0xFFFD)
            return 1
        }
        var scalar = bits
        for index in 1..<length {
            let isInside = position + index < utf8.count
            let byte = isInside ? utf8[position + index] : 0
            let allowed = index == 1 ? second : 0x80...0xBF
            guard isInside, allowed.contains(byte) else {
                combine(unit: 0xFFFD)
                return index
            }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        if scalar < 0x10000 {
            combine(unit: scalar)
        } else {
            combine(unit: 0xD800 + (scalar - 0x10000) >> 10)
            combine(unit: 0xDC00 + (scalar - 0x10000) & 0x3FF)
        }
        return length
    }

    /// How many bytes a character with this first byte has, its bits, and what may follow (Unicode table 3-7: neither
    /// overlong forms nor surrogates).
    private static func shape(_ lead: UInt8) -> (length: Int, bits: UInt32, second: ClosedRange<UInt8>)? {
        switch lead {
        case 0xC2...0xDF: (2, UInt32(lead & 0x1F), 0x80...0xBF)
        case 0xE0: (3, 0, 0xA0...0xBF)
        case 0xED: (3, 0xD, 0x80...0x9F)
        case 0xE1...0xEF: (3, UInt32(lead & 0x0F), 0x80...0xBF)
        case 0xF0: (4, 0, 0x90...0xBF)
        case 0xF1...0xF3: (4, UInt32(lead & 0x07), 0x80...0xBF)
        case 0xF4: (4, 4, 0x80...0x8F)
        default: nil
        }
    }
}

package func javaHash(_ utf8: Span<UInt8>) -> Int32 {
    var hasher = JavaHasher()
    hasher.combine(utf8)
    return hasher.value
}

package func javaHash(_ text: String) -> Int32 {
    javaHash(text.utf8.span)
}

/// The consume queue's tagsCode of a message that is not delayed: the hash of the whole TAGS text, sign-extended.
package func tagsCode(_ tags: Span<UInt8>) -> Int64 {
    Int64(javaHash(tags))
}

/// The hash under which the index files keep a key: of `topic#key`, made positive.
package func indexKeyHash(topic: Span<UInt8>, key: Span<UInt8>) -> Int32 {
    var hasher = JavaHasher()
    hasher.combine(topic)
    hasher.combine("#")
    hasher.combine(key)
    return hasher.value == .min ? 0 : abs(hasher.value)
}
