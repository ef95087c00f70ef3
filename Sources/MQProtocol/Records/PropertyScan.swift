/// Reads property text where it lies, without building strings: `name 0x01 value 0x02 name 0x01 value …`.
///
/// The rules are RocketMQ's: an item without a separator, with an empty name or with an empty value does not count, a
/// value may contain further 0x01, and of two items with one name the last one wins.
package enum PropertyScan {
    package static let nameEnd: UInt8 = 1
    package static let itemEnd: UInt8 = 2

    /// Where the value of the property `name` is, as positions in `bytes`; nil when there is none.
    ///
    /// - Parameter range: the part of `bytes` that holds the properties.
    package static func value(of name: String, in bytes: Span<UInt8>, range: Range<Int>) -> Range<Int>? {
        let wanted = name.utf8.span
        var found: Range<Int>?
        forEach(in: bytes, range: range) { nameRange, valueRange in
            if equal(bytes, nameRange, wanted) { found = valueRange }
        }
        return found
    }

    package static func value(of name: String, in bytes: Span<UInt8>) -> Range<Int>? {
        value(of: name, in: bytes, range: 0..<bytes.count)
    }

    /// Calls `body` with the positions of each name and value, in the order of the text, repeated names included.
    @inlinable
    package static func forEach<Failure: Error>(
        in bytes: Span<UInt8>, range: Range<Int>,
        _ body: (_ name: Range<Int>, _ value: Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        let end = range.upperBound
        var start = range.lowerBound
        var separator = -1
        var word = start
        while word < end {
            var hits = bytes.separators(at: word, before: end)
            while !hits.isEmpty {
                let position = word &+ hits.removeFirst()
                let byte = bytes[position]
                if byte == nameEnd {
                    if separator < start { separator = position }
                } else if byte == itemEnd {
                    if separator > start, position > separator &+ 1 {
                        try body(start..<separator, (separator &+ 1)..<position)
                    }
                    start = position &+ 1
                }
            }
            word &+= 8
        }
        if separator > start, end > separator &+ 1 {
            try body(start..<separator, (separator &+ 1)..<end)
        }
    }

    /// Whether `bytes[range]` is the text `wanted`.
    package static func equal(_ bytes: Span<UInt8>, _ range: Range<Int>, _ wanted: Span<UInt8>) -> Bool {
        range.count == wanted.count && bytes.starts(with: wanted, at: range.lowerBound)
    }

    /// Whether `bytes[range]` is the text `wanted`.
    package static func equal(_ bytes: Span<UInt8>, _ range: Range<Int>, _ wanted: String) -> Bool {
        equal(bytes, range, wanted.utf8.span)
    }

    /// The decimal integer at `range`; nil when it is empty, too large or not a number.
    package static func integer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        let text = bytes.extracting(range)
        guard text.count > 0 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        let first = isNegative || text[0] == UInt8(ascii: "+") ? 1 : 0
        guard text.count > first else { return nil }
        var result: Int64 = 0
        for index in first..<text.count {
            let digit = Int64(text[index]) - 0x30
            guard (0...9).contains(digit) else { return nil }
            let (tens, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carried) =
                isNegative
                ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard !overflow, !carried else { return nil }
            result = sum
        }
        return result
    }

    /// Whether the text parses to its end: every item that is not empty has a name and a separator. For recovery, where
    /// stray bytes mean that the record was torn; as tolerant as can be, because a batch item's text is stored as its
    /// client wrote it.
    ///
    /// - Parameter allowsZero: false refuses text that has a zero byte.
    package static func isWellFormed(_ bytes: Span<UInt8>, _ range: Range<Int>, allowsZero: Bool = true) -> Bool {
        let end = range.upperBound
        var start = range.lowerBound
        var separator = -1
        var word = start
        while word < end {
            var hits = bytes.separators(at: word, before: end)
            while !hits.isEmpty {
                let position = word &+ hits.removeFirst()
                switch bytes[position] {
                case nameEnd:
                    if separator < start { separator = position }
                case itemEnd:
                    guard separator > start || position == start else { return false }
                    start = position &+ 1
                default:
                    guard allowsZero else { return false }
                }
            }
            word &+= 8
        }
        return start == end || separator > start
    }
}
