import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

/// Whatever the bytes are: a frame, a wait for more, or an error. Every typed header survives every field block.
@Suite struct FrameFuzzTests {
    private static let vectors = FrameVector.all.map { ByteBuffer(hexText: $0).array }

    private func mutated(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Self.vectors.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 3: bytes[position] = "{}[]\"\\:,'u0-.en".utf8.randomElement(using: &random) ?? 0
            case 4: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: position)
            default: if bytes.count > 1 { bytes.remove(at: position) }
            }
        }
        // Mostly with a length that fits, or the header is never looked at.
        if Int.random(in: 0..<4, using: &random) > 0, bytes.count >= 8 {
            let length = UInt32(bytes.count - 4)
            for (index, shift) in [24, 16, 8, 0].enumerated() { bytes[index] = UInt8(length >> UInt32(shift) & 0xFF) }
        }
        return bytes
    }

    private func decodeAll(_ bytes: [UInt8]) -> [Frame] {
        var buffer = ByteBuffer(bytes: bytes)
        var decoder = FrameDecoder(maximumFrameBytes: 65_536)
        var frames: [Frame] = []
        while true {
            let before = buffer.readableBytes
            do {
                guard let frame = try decoder.next(from: &buffer) else { return frames }
                #expect(buffer.readableBytes < before)
                frames.append(frame)
            } catch {
                return frames
            }
        }
    }

    @Test func mutatedFramesNeverCrash() {
        var random = SeededGenerator()
        var decoded = 0
        for _ in 0..<1_000 {
            for frame in decodeAll(mutated(&random)) {
                decoded += 1
                HeaderCatalog.decodeAll(frame.fields)
                roundTrip(frame)
            }
        }
        #expect(decoded > 50)
    }

    /// What was accepted can be written again and read back as the same.
    private func roundTrip(_ frame: Frame) {
        guard frame.encoding == .json || Int32(Int16(truncatingIfNeeded: frame.code)) == frame.code else { return }
        var buffer = ByteBuffer()
        buffer.writeFrame(frame)
        let again = decodeAll(buffer.array)
        #expect(again.count == 1)
        #expect(again.first?.code == frame.code)
        #expect(again.first?.body == frame.body)
        #expect(again.first.map(FrameVectorTests.values) == FrameVectorTests.values(frame))
    }

    @Test func randomBytesNeverCrash() {
        var random = SeededGenerator()
        for _ in 0..<2_000 {
            var bytes = random.bytes(Int.random(in: 0...200, using: &random))
            if Bool.random(using: &random), bytes.count >= 8 {
                bytes.replaceSubrange(0..<4, with: [0, 0, 0, UInt8(bytes.count - 4)])
                bytes[4] = UInt8.random(in: 0...1, using: &random)
                bytes[5] = 0
                bytes[6] = 0
            }
            _ = decodeAll(bytes)
        }
    }

    @Test func fieldBlocksOfAnyBytesNeverCrash() {
        var random = SeededGenerator()
        for _ in 0..<1_000 {
            var bytes = random.bytes(Int.random(in: 0...80, using: &random))
            if Bool.random(using: &random) { bytes = Array(#"{"a":"\u00"#.utf8) + bytes }
            for encoding in [HeaderEncoding.json, .binary] {
                HeaderCatalog.decodeAll(HeaderFields(checked: ByteBuffer(bytes: bytes), encoding: encoding))
            }
        }
    }

    @Test func textOfEveryKindSurvivesBothEncodings() throws {
        var random = SeededGenerator()
        for _ in 0..<300 {
            let name = random.letters(Int.random(in: 1...20, using: &random))
            let value = random.text(Int.random(in: 1...40, using: &random)) + "\u{1}\"\\\u{7F}\u{2028}\n"
            for encoding in [HeaderEncoding.json, .binary] {
                var buffer = ByteBuffer()
                buffer.writeResponse(
                    .success, to: ReplyTo(opaque: 1, encoding: encoding), remark: value, extra: [(name, value)]
                )
                let frame = try FrameVectorTests.decode(buffer.hexText)
                #expect(frame.remark == value)
                #expect(frame.fields.string(name) == value)
            }
        }
    }
}
