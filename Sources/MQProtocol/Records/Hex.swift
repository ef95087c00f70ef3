/// Hexadecimal text as ids carry it: upper case when written, any case when read.
enum Hex {
    /// The eight digits of a number as eight bytes of ASCII, the first digit highest: four bits are spread over each
    /// byte, and those above 9 get the distance from `9` to `A`.
    static func digits(_ value: UInt32) -> UInt64 {
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 7
    }

    static func append(_ value: some FixedWidthInteger & UnsignedInteger, to text: inout [UInt8]) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 0xF
            text.append(digit < 10 ? 0x30 + digit : 0x37 + digit)
        }
    }

    /// The integers that `text` is made of, one after the other; nil when a character is no digit or none is left.
    struct Reader {
        private var rest: Substring.UTF8View

        init(_ text: String) {
            rest = text[...].utf8
        }

        mutating func next<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) -> Value? {
            var value: Value = 0
            for _ in 0..<(Value.bitWidth / 4) {
                guard let character = rest.popFirst(), let digit = Hex.digit(character) else { return nil }
                value = value << 4 | Value(digit)
            }
            return value
        }

        mutating func nextIP(isV6: Bool) -> HostAddress.IP? {
            guard isV6 else { return next(UInt32.self).map { .v4($0) } }
            guard let high = next(UInt64.self), let low = next(UInt64.self) else { return nil }
            return .v6(high, low)
        }
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x37
        case 0x61...0x66: character - 0x57
        default: nil
        }
    }

    static func append(_ ip: HostAddress.IP, to text: inout [UInt8]) {
        switch ip {
        case .v4(let address): append(address, to: &text)
        case .v6(let high, let low):
            append(high, to: &text)
            append(low, to: &text)
        }
    }
}
