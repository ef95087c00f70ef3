import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

/// Every body decoder against real bodies that were damaged: errors are fine, a crash or a hang is not.
@Suite struct BodyFuzzTests {
    @Test func damagedBodiesNeverCrash() {
        var random = SeededGenerator()
        for _ in 0..<600 {
            var bytes = Array((BodySample.all.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes[position] = "{}[]\":,-0e.n".utf8.randomElement(using: &random) ?? 0
                case 2: bytes.insert(contentsOf: "99999999999999999999".utf8, at: position)
                case 3: bytes.insert(contentsOf: "null".utf8, at: position)
                default: bytes.removeSubrange(position..<min(bytes.count, position + 3))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            BodyCatalog.decodeAll(ByteBuffer(bytes: bytes))
        }
    }

    /// Members of the right names with values of the wrong kind.
    @Test func valuesOfTheWrongKindNeverCrash() throws {
        var random = SeededGenerator()
        let replacements: [JSONValue] = [
            nil, true, -1, .integer(.max), .integer(.min), .double(1e300), "", "x", [], [nil, 1, "x", [[]]], [:],
            ["a": 1], .object([JSONValue.Member(.integer(-1), "x"), JSONValue.Member(.object([:]), 1)]),
        ]
        for text in BodySample.all {
            let value = try JSONReader.parse(text)
            for _ in 0..<25 {
                let damaged = replaced(in: value, replacements, &random)
                BodyCatalog.decodeAll(JSONWriter.compact(damaged))
            }
        }
    }

    private func replaced(
        in value: JSONValue, _ replacements: [JSONValue], _ random: inout SeededGenerator
    ) -> JSONValue {
        if Int.random(in: 0..<6, using: &random) == 0 { return replacements.randomElement(using: &random) ?? nil }
        switch value {
        case .array(let elements):
            return .array(elements.map { replaced(in: $0, replacements, &random) })
        case .object(let members):
            return .object(
                members.map { JSONValue.Member($0.key, replaced(in: $0.value, replacements, &random)) }
            )
        default: return value
        }
    }

    @Test func compressedRegistrationsOfAnyBytesNeverCrash() {
        var random = SeededGenerator()
        for _ in 0..<300 {
            var plain = ByteBuffer()
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                plain.writeInteger([Int32(2), 0, -1, .max, 19].randomElement(using: &random) ?? 0)
                plain.writeString(["{}", "[]", "T1 4 4 6 SINGLE_TAG", "x"].randomElement(using: &random) ?? "")
            }
            _ = try? RegisterBrokerBody.decode(Zlib.deflate(plain), compressed: true, version: 409)
        }
    }
}
