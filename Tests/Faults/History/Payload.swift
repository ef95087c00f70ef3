import NIOCore
import TestSupport

/// Messages that can be made again from their number, so that every byte of them can be checked without keeping any.
enum Payload {
    static let noteName = "note"
    /// Longest body.
    static let maximumBytes = 1600

    private static let noise: ByteBuffer = {
        var generator = SeededGenerator(seed: 0xE5C0)
        var buffer = ByteBuffer()
        for _ in 0..<1024 { buffer.writeInteger(generator.next()) }
        return buffer
    }()

    /// The number, then up to 1,592 bytes of noise that depend on it.
    static func body(_ number: Int64) -> ByteBuffer {
        let mixed = mixed(number)
        let length = Int(mixed % UInt64(maximumBytes - 8))
        let start = Int(mixed >> 32) % (noise.readableBytes - maximumBytes)
        var buffer = ByteBuffer()
        buffer.reserveCapacity(8 + length)
        buffer.writeInteger(number)
        if let part = noise.getSlice(at: start, length: length) { buffer.writeImmutableBuffer(part) }
        return buffer
    }

    static func number(in body: ByteBuffer) -> Int64? { body.getInteger(at: body.readerIndex) }

    static func key(_ number: Int64) -> String { "key-\(number)" }

    static func tag(_ number: Int64) -> String { "tag\(number % 3)" }

    static func note(_ number: Int64) -> String { "note-\(mixed(number))" }

    static func flag(_ number: Int64) -> Int32 { Int32(truncatingIfNeeded: number &* 7) }

    /// What a consumer's handler makes of a message.
    enum Fate: Sendable, Hashable {
        case handled, failsOnce, failsAlways
    }

    static func fate(_ number: Int64) -> Fate {
        switch mixed(number) >> 8 & 31 {
        case 0: .failsAlways
        case 1, 2: .failsOnce
        default: .handled
        }
    }

    private static func mixed(_ number: Int64) -> UInt64 {
        var generator = SeededGenerator(seed: UInt64(bitPattern: number))
        return generator.next()
    }
}
