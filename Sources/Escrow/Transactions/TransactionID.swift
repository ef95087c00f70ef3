import Foundation
import MQProtocol

/// The name of one transaction: 16 bytes, in its fence and on each of its half messages.
struct TransactionID: Sendable, Hashable, CustomStringConvertible {
    let bytes: Data

    /// Begins with the time, so that fences are written beside each other; ten bytes are random.
    static func random(at now: Timestamp = .zero) -> TransactionID {
        var generator = SystemRandomNumberGenerator()
        let random = generator.next()
        let first = UInt64(truncatingIfNeeded: now.milliseconds) << 16 | generator.next() & 0xFFFF
        var bytes = Data(capacity: 16)
        for word in [first, random] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return TransactionID(bytes: bytes)
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

    var description: String { bytes.hexadecimal }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}
