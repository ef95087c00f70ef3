package import NIOCore

/// A decimal number with an optional minus sign; nil when it is anything else or does not fit.
func parseDecimal(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int64? {
    var index = start
    let isNegative = index < end && bytes[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    guard index < end, end - index <= 19 else { return nil }
    guard end - index == 19 else {
        // Up to 18 digits cannot overflow.
        var value: Int64 = 0
        while index &+ 8 <= end {
            guard let digits = eightDigits(bytes.bigEndian(UInt64.self, at: index)) else { return nil }
            value = value &* 100_000_000 &+ digits
            index &+= 8
        }
        while index < end {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        return isNegative ? -value : value
    }
    var value: Int64 = 0
    while index < end {
        let digit = bytes[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
        let (next, carry) = shifted.subtractingReportingOverflow(Int64(digit))
        guard !overflow, !carry else { return nil }
        value = next
        index += 1
    }
    if isNegative { return value }
    return value == .min ? nil : -value
}

/// The number that eight digits spell, the first one in the highest byte; nil when one of them is no digit.
///
/// Neighbours are joined in three steps: digits to pairs, pairs to fours, fours to the whole.
@inline(__always)
private func eightDigits(_ text: UInt64) -> Int64? {
    let digits = text ^ 0x3030_3030_3030_3030
    // A byte above 9 reaches the high half of its byte, by itself or with 6 more.
    guard (digits | digits &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0 == 0 else { return nil }
    let pairs = (digits >> 8 & 0x00FF_00FF_00FF_00FF) &* 10 &+ (digits & 0x00FF_00FF_00FF_00FF)
    let fours = (pairs >> 16 & 0x0000_FFFF_0000_FFFF) &* 100 &+ (pairs & 0x0000_FFFF_0000_FFFF)
    return Int64((fours >> 32) &* 10_000 &+ (fours & 0xFFFF_FFFF))
}

/// `true` in any mixture of cases.
package func isTrue(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Bool {
    guard end - start == 4 else { return false }
    return bytes[start] | 0x20 == UInt8(ascii: "t") && bytes[start + 1] | 0x20 == UInt8(ascii: "r")
        && bytes[start + 2] | 0x20 == UInt8(ascii: "u") && bytes[start + 3] | 0x20 == UInt8(ascii: "e")
}

extension ByteBuffer {
    /// Appends the decimal text of a number without making a String.
    package mutating func writeDecimal(_ value: Int64) {
        if value < 0 { writeInteger(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        guard magnitude >= 100_000_000 else { return writeDigits(UInt32(magnitude), atLeast: 1) }
        let high = magnitude / 100_000_000
        if high < 100_000_000 {
            writeDigits(UInt32(high), atLeast: 1)
        } else {
            writeDigits(UInt32(high / 100_000_000), atLeast: 1)
            writeDigits(UInt32(high % 100_000_000), atLeast: 8)
        }
        writeDigits(UInt32(magnitude % 100_000_000), atLeast: 8)
    }

    /// At most 8 digits, collected in one integer and written at once.
    private mutating func writeDigits(_ value: UInt32, atLeast minimum: Int) {
        var rest = value
        var packed: UInt64 = 0
        var count = 0
        while rest > 0 || count < minimum {
            packed = packed >> 8 | UInt64(UInt8(ascii: "0") + UInt8(rest % 10)) << 56
            rest /= 10
            count += 1
        }
        writeInteger(packed)
        moveWriterIndex(to: writerIndex - (8 - count))
    }
}

/// The number of characters that `writeDecimal` writes.
func decimalLength(_ value: Int64) -> Int {
    var rest = value.magnitude
    var count = value < 0 ? 2 : 1
    while rest >= 10 {
        rest /= 10
        count += 1
    }
    return count
}
