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

    /// The first byte below 3 at or behind `start`: a separator of properties, or a zero; `count` when there is none.
    @inlinable
    package func separator(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            // The top bits of the bytes 0, 1 and 2; exact, no carry crosses a byte.
            let word = bigEndian(UInt64.self, at: index)
            let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
            let hits = ~((word & low) &+ 0x7D7D_7D7D_7D7D_7D7D | word | low)
            if hits != 0 { return index &+ hits.leadingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < count, self[index] > 2 { index &+= 1 }
        return index
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
