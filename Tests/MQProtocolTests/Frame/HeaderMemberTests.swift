import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

/// Members of a JSON header are read alike, whether they have the form that is taken at one glance or not.
@Suite struct HeaderMemberTests {
    private func frame(_ header: String) -> Frame? {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(4 + header.utf8.count))
        buffer.writeInteger(Int32(header.utf8.count))
        buffer.writeString(header)
        var decoder = FrameDecoder()
        return try? decoder.next(from: &buffer)
    }

    private static let numbers = [
        "0", "7", "-1", "310", "00012", "123456789", "1000000000", "2147483639", "2147483647", "2147483648", "1e3",
        "\"5\"", "null", "",
    ]
    private static let languages = ["\"JAVA\"", "\"CPP\"", "\"GO\"", "\"Java\"", "0", "\"\"", "\"JAVA\\n\""]

    private func members(_ random: inout SeededGenerator) -> [(name: String, value: String)] {
        func number() -> String { Self.numbers[random.next(below: Self.numbers.count)] }
        let all = [
            ("code", number()), ("flag", number()), ("opaque", number()), ("version", number()),
            ("language", Self.languages[random.next(below: Self.languages.count)]),
            ("serializeTypeCurrentRPC", ["\"JSON\"", "\"ROCKETMQ\"", "7"][random.next(below: 3)]),
            ("remark", "\"a\\u0001\""), ("extFields", "{\"a\":\"b\",\"i\":\"x\\u0002y\",\"zz\":\"1\"}"),
            ("codes", "1"), ("opaques", "2"), ("versions", "3"),
        ]
        return all.filter { _ in random.next(below: 4) > 0 }.shuffled(using: &random)
    }

    @Test func aMemberIsReadAlikeInEveryForm() {
        var random = SeededGenerator()
        var readable = 0
        for _ in 0..<3000 {
            let members = members(&random)
            let compact = frame("{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}")
            let spaced = frame("{ " + members.map { "\"\($0.name)\" : \($0.value)" }.joined(separator: " , ") + " }")
            #expect(compact?.code == spaced?.code && compact?.flag == spaced?.flag, "\(members)")
            #expect(compact?.opaque == spaced?.opaque && compact?.version == spaced?.version, "\(members)")
            #expect(compact?.language == spaced?.language && compact?.remark == spaced?.remark, "\(members)")
            #expect(compact?.fields.string("i") == spaced?.fields.string("i"), "\(members)")
            if compact != nil { readable += 1 }
        }
        #expect(readable > 100)
    }

    @Test func decimalsAreThoseOfTheStandardLibrary() {
        var random = SeededGenerator()
        for _ in 0..<4000 {
            var digits = (0..<(1 + random.next(below: 18))).map { _ in UInt8(0x30 + random.next(below: 10)) }
            if random.next(below: 3) == 0 {
                digits[random.next(below: digits.count)] = [0x2F, 0x3A, 0x20, 0xB0, 0x00, 0x41][random.next(below: 6)]
            }
            let text = String(decoding: digits, as: UTF8.self)
            #expect(parseDecimal(digits.span, from: 0, to: digits.count) == Int64(text), "\(text)")
        }
    }
}
