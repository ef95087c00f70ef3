/// Searches and comparisons that look at eight bytes at a time. Headers and properties consist of short texts, where a
/// loop over bytes mostly costs the wrong guess at its end.
extension Span where Element == UInt8 {
    /// The first quote or backslash at or behind `start`; `count` when there is none.
    @inline(__always)
    func endOfJSONText(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = bigEndian(UInt64.self, at: index)
            let hits = ByteWord.zeros(word ^ ByteWord.quotes) | ByteWord.zeros(word ^ ByteWord.backslashes)
            if hits != 0 { return index &+ hits.leadingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < count, self[index] != UInt8(ascii: "\""), self[index] != UInt8(ascii: "\\") { index &+= 1 }
        return index
    }

    /// The separators of properties, and the zeros, among the eight bytes at `start`, or among fewer before `end`.
    @inlinable
    @inline(__always)
    package func separators(at start: Int, before end: Int) -> ByteHits {
        let length = end &- start
        let excess = start &+ 8 &- count
        var word: UInt64
        if excess <= 0 {
            word = bigEndian(UInt64.self, at: start)
        } else if count >= 8 {
            word = bigEndian(UInt64.self, at: count &- 8) << UInt64(8 &* excess)
        } else {
            word = tailWord(at: start, length: length) << UInt64(64 &- 8 &* length)
        }
        // What lies behind the end is no separator.
        if length < 8 { word |= .max >> UInt64(8 &* length) }
        // The top bits of the bytes 0, 1 and 2; exact, no carry crosses a byte.
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ByteHits(~((word & low) &+ 0x7D7D_7D7D_7D7D_7D7D | word | low))
    }

    /// Whether the bytes from `start` on begin with `text`.
    package func starts(with text: Span<UInt8>, at start: Int) -> Bool {
        let length = text.count
        guard start >= 0, length <= count &- start else { return false }
        guard length >= 8 else {
            for index in 0..<length where self[start &+ index] != text[index] { return false }
            return true
        }
        var index = 0
        while index < length {
            // The last word may overlap the one before it.
            let place = Swift.min(index, length &- 8)
            guard bigEndian(UInt64.self, at: start &+ place) == text.bigEndian(UInt64.self, at: place) else {
                return false
            }
            index = place &+ 8
        }
        return true
    }

    /// The first eight of `length` bytes as a number, the first byte highest; fewer bytes make a smaller number.
    @inline(__always)
    func word(at start: Int, length: Int) -> UInt64 {
        if start &+ 8 <= count {
            let word = bigEndian(UInt64.self, at: start)
            return length >= 8 ? word : word >> UInt64(64 &- 8 &* length)
        }
        return tailWord(at: start, length: length)
    }

    /// The eight bytes at `start` as a number, or as many as there are.
    @inlinable
    package func word(at start: Int) -> UInt64 {
        start &+ 8 <= count ? bigEndian(UInt64.self, at: start) : tailWord(at: start, length: count - start)
    }

    @usableFromInline
    func tailWord(at start: Int, length: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<start + Swift.min(length, 8) { word = word << 8 | UInt64(self[index]) }
        return word
    }
}

/// The bytes of a word that a search has found, the first one first.
@usableFromInline
package struct ByteHits {
    @usableFromInline var bits: UInt64

    /// - Parameter bits: the top bit of each byte that was found, no others.
    @inlinable
    package init(_ bits: UInt64) {
        self.bits = bits
    }

    @inlinable
    package var isEmpty: Bool { bits == 0 }

    /// The place of the first byte in its word, which is a hit no more. Not to be called on an empty word.
    @inlinable
    package mutating func removeFirst() -> Int {
        let first = bits.leadingZeroBitCount
        bits ^= (1 << 63) >> UInt64(first)
        return first >> 3
    }
}

/// Eight bytes in one number. A hit is the top bit of its byte.
enum ByteWord {
    static let quotes: UInt64 = 0x2222_2222_2222_2222
    static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C

    /// The bytes that are zero. Exact: no carry crosses a byte.
    @inline(__always)
    static func zeros(_ word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ~((word & low) &+ low | word | low)
    }
}
