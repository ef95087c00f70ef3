import TestSupport
import Testing

@testable import MQProtocol

@Suite struct HashTests {
    @Test(
        arguments: [
            ("TagA", 2_598_919), ("TagB", 2_598_920), ("标签", 857_175), ("", 0), ("a", 97),
            ("polygenelubricants", -2_147_483_648), ("😀", 1_772_899), ("*", 42), ("d", 100),
        ] as [(String, Int32)])
    func javaHashOfVectors(text: String, hash: Int32) {
        #expect(javaHash(text) == hash)
        #expect(javaHash(text.utf8.span) == hash)
        #expect(tagsCode(text.utf8.span) == Int64(hash))
    }

    @Test(
        arguments: [
            ("TopicTest", "FD00000000000000000000000000000201E31DBD16A6676051370000", 1_262_647_045),
            ("TopicTest", "KEY1", 1_656_969_516), ("TopicTest", "KEY2", 1_656_969_515),
            ("TopicTest", "FD00000000000000000000000000000201E31DBD16A6676051CC0002", 793_498_375),
            ("TopicTest", "键", 1_247_052_652),
        ] as [(String, String, Int32)])
    func indexKeyHashOfVectors(topic: String, key: String, hash: Int32) {
        #expect(indexKeyHash(topic: topic.utf8.span, key: key.utf8.span) == hash)
        #expect(abs(javaHash("\(topic)#\(key)")) == hash)
    }

    @Test func eightCharactersAtATimeMakeTheSameHash() {
        var random = SeededGenerator()
        for length in 0..<64 {
            let text = random.letters(length) + (length % 3 == 0 ? random.text(length % 9) : "")
            #expect(javaHash(text.utf8.span) == javaHash(text), "\(text)")
        }
    }

    @Test func theSmallestHashBecomesZero() {
        let key = smallestHashKey(topic: "T")
        #expect(javaHash("T#\(key)") == .min)
        #expect(indexKeyHash(topic: "T".utf8.span, key: key.utf8.span) == 0)
    }

    @Test func hashesInvalidTextAsItsRepairedForm() {
        var random = SeededGenerator()
        let interesting: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4,
            0xF5, 0xFF,
        ]
        for _ in 0..<50_000 {
            let length = Int.random(in: 0...8, using: &random)
            let bytes = (0..<length).map { _ in interesting.randomElement(using: &random) ?? 0 }
            #expect(javaHash(bytes.span) == reference(String(decoding: bytes, as: UTF8.self)), "\(bytes)")
        }
    }

    @Test func hashesAnyText() {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let text = random.text(Int.random(in: 0...20, using: &random))
            #expect(javaHash(text) == reference(text))
        }
    }

    @Test(
        arguments: [
            ("123456789", 0xCBF4_3926, 1_274_296_614), ("a", 0xE8B7_BE43, 1_756_872_259),
            ("Hello RocketMQ", 0x69C8_65ED, 1_774_740_973), ("", 0, 0),
        ] as [(String, UInt32, Int32)])
    func checksums(text: String, crc: UInt32, masked: Int32) {
        #expect(crc32(text.utf8.span) == crc)
        #expect(bodyCRC(text.utf8.span) == masked)
    }

    /// Against the definition, bit by bit: every length around the limits of what is computed at once, at any place.
    @Test func checksumsOfAnyLength() {
        var generator = SeededGenerator(seed: TestSeed.current)
        let bytes = (0..<400).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for length in 0...350 {
            let start = Int.random(in: 0...40, using: &generator)
            let part = Array(bytes[start..<start + length])
            var expected = ~UInt32(0)
            for byte in part {
                expected ^= UInt32(byte)
                for _ in 0..<8 { expected = expected & 1 == 1 ? expected >> 1 ^ 0xEDB8_8320 : expected >> 1 }
            }
            #expect(crc32(bytes.span.extracting(start..<start + length)) == ~expected, "\(length) bytes at \(start)")
        }
    }

    private func reference(_ text: String) -> Int32 {
        text.utf16.reduce(Int32(0)) { $0 &* 31 &+ Int32($1) }
    }

    /// A key whose `topic#key` hashes to -2³¹: the missing amount written in base 31, one character per digit.
    private func smallestHashKey(topic: String) -> String {
        let digits = 7
        let zero: UInt32 = 0x41
        let base = String(repeating: "A", count: digits)
        var missing = 0x8000_0000 &- UInt32(bitPattern: reference("\(topic)#\(base)"))
        var characters: [Character] = []
        for _ in 0..<digits {
            characters.insert(Character(Unicode.Scalar(UInt8(zero + missing % 31))), at: 0)
            missing /= 31
        }
        return String(characters)
    }
}
