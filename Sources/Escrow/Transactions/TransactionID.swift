import Foundation

/// The name of one transaction: 16 random bytes, in its fence and on each of its half messages.
struct TransactionID: Sendable, Hashable, CustomStringConvertible {
    let bytes: Data

    static func random() -> TransactionID {
        var generator = SystemRandomNumberGenerator()
        let words = [generator.next(), generator.next()]
        return TransactionID(
            bytes: Data(words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }))
    }

    private init(bytes: Data) {
        self.bytes = bytes
    }

    /// - Parameter data: nil is given back for anything but 16 bytes.
    init?(_ data: Data) {
        guard data.count == 16 else { return nil }
        bytes = data
    }

    init?(text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 32 else { return nil }
        var bytes = Data(capacity: 16)
        for index in stride(from: 0, to: 32, by: 2) {
            guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(32)
        for byte in bytes {
            text.append(Self.digit(byte >> 4))
            text.append(Self.digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x57 + value
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}
