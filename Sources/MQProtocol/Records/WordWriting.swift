/// Writing into memory that is there already, at a position that moves on: for texts of many small parts, where one
/// check of the buffer's ownership and room for each part would cost more than its bytes.
extension MutableRawSpan {
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func append(_ byte: UInt8, at position: inout Int) {
        storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
        position &+= 1
    }

    /// Big-endian.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at position: inout Int) {
        storeBytes(of: value.bigEndian, toByteOffset: position, as: Value.self)
        position &+= MemoryLayout<Value>.size
    }

    @_lifetime(self: copy self)
    mutating func append(_ text: Span<UInt8>, at position: inout Int) {
        copy(text, to: position)
        position &+= text.count
    }

    /// Decimal digits. Up to seven bytes behind them are overwritten too.
    @_lifetime(self: copy self)
    mutating func appendDecimal(_ value: Int64, at position: inout Int) {
        if value < 0 { append(UInt8(ascii: "-"), at: &position) }
        let magnitude = value.magnitude
        guard magnitude >= 100_000_000 else { return appendDigits(magnitude, atLeast: 1, at: &position) }
        appendLong(magnitude, at: &position)
    }

    @_lifetime(self: copy self)
    private mutating func appendLong(_ magnitude: UInt64, at position: inout Int) {
        let unit: UInt64 = 100_000_000
        let (high, low) = (magnitude / unit, magnitude % unit)
        if high < unit {
            appendDigits(high, atLeast: 1, at: &position)
        } else {
            appendDigits(high / unit, atLeast: 1, at: &position)
            appendDigits(high % unit, atLeast: 8, at: &position)
        }
        appendDigits(low, atLeast: 8, at: &position)
    }

    /// At most 8 digits, collected in one word and stored at once.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func appendDigits(_ value: UInt64, atLeast minimum: Int, at position: inout Int) {
        var rest = UInt32(truncatingIfNeeded: value)
        var packed: UInt64 = 0
        var count = 0
        while rest > 0 || count < minimum {
            packed = packed >> 8 | UInt64(0x30 &+ rest % 10) << 56
            rest /= 10
            count &+= 1
        }
        storeBytes(of: packed.bigEndian, toByteOffset: position, as: UInt64.self)
        position &+= count
    }
}
