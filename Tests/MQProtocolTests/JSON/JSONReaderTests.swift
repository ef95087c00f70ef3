import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct JSONReaderTests {
    private func compact(_ text: String) throws -> String {
        String(buffer: JSONWriter.compact(try JSONReader.parse(text)))
    }

    private func error(_ text: String) -> JSONError.Code? {
        do {
            _ = try JSONReader.parse(text)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func standardValues() throws {
        #expect(try JSONReader.parse("null") == .null)
        #expect(try JSONReader.parse(" [ true , false ] ") == [true, false])
        #expect(try JSONReader.parse("-9223372036854775808") == .integer(.min))
        #expect(try JSONReader.parse("9223372036854775807") == .integer(.max))
        #expect(try JSONReader.parse("1.5e3") == .double(1_500))
        #expect(try JSONReader.parse(#""a\"\\\/\b\f\n\r\t\u00e9""#) == "a\"\\/\u{8}\u{C}\n\r\té")
        #expect(try JSONReader.parse(#"{"a":{"b":[1,{}]}}"#)["a"]?["b"]?.elements.count == 2)
    }

    @Test func surrogates() throws {
        #expect(try JSONReader.parse(#""\ud83d\ude00""#) == "😀")
        #expect(try JSONReader.parse(#""\uD83D""#) == "\u{FFFD}")
        #expect(try JSONReader.parse(#""\uDE00x""#) == "\u{FFFD}x")
        #expect(try JSONReader.parse(#""\uD83D\u0041""#) == "\u{FFFD}A")
        #expect(try JSONReader.parse(#""\uD83Dxyz""#) == "\u{FFFD}xyz")
    }

    @Test func invalidUTF8IsRepaired() throws {
        var buffer = ByteBuffer(string: "\"a")
        buffer.writeBytes([0xFF, 0xC3])
        buffer.writeString("b\"")
        #expect(try JSONReader.parse(buffer) == "a\u{FFFD}\u{FFFD}b")
    }

    @Test func dialect() throws {
        let text = #"{0:"a",'b':1,c_$:2L,"d":[1,2,],-1:NaN,}"#
        let value = try JSONReader.parse(text)
        #expect(value.members.first?.key == .integer(0))
        #expect(value["b"]?.integer == 1)
        #expect(value["c_$"]?.integer == 2)
        #expect(value["d"]?.elements.count == 2)
        #expect(try compact(#"{"a":{"$ref":"$.b"}}"#) == #"{"a":{"$ref":"$.b"}}"#)
        #expect(try JSONReader.parse(#"{"a":1,"a":2}"#)["a"]?.integer == 2)
    }

    @Test func objectAsKey() throws {
        let key = #"{"brokerName":"broker-a","queueId":3,"topic":"TopicTest"}"#
        let bare = "{\"offsetTable\":{" + key + ":5}}"
        let quoted = #"{"offsetTable":{"{\"brokerName\":\"broker-a\",\"queueId\":3,\"topic\":\"TopicTest\"}":5}}"#
        for text in [bare, quoted] {
            let member = try #require(try JSONReader.parse(text)["offsetTable"]?.members.first)
            #expect(member.key.text == key)
            #expect(member.key.object?["queueId"]?.integer == 3)
            #expect(member.value.integer == 5)
        }
        #expect(try compact(bare) == bare)
        let standard = JSONWriter.compact(try JSONReader.parse(bare), style: .standard)
        #expect(String(buffer: standard) == quoted)
    }

    @Test func refusals() {
        for text in [
            "", " ", "{", "[", "\"", "'", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "[1 2]", "{,\"a\" 1}", "tru",
            "nul", "-", "1.2.3", "--1", #""\x""#, #""\u12""#, #""\"#, "1e999", "{1:2 3:4}", "[1,",
            "\u{FEFF}1", "}", "]",
        ] {
            #expect(error(text) != nil, "\(text)")
        }
        #expect(error("1 1") == .trailingBytes)
        #expect(error(String(repeating: "[", count: 1_000_000)) == .tooDeep)
        #expect(error(String(repeating: "{\"a\":", count: 1_000_000)) == .tooDeep)
        #expect(error(String(repeating: "{", count: 1_000_000)) == .tooDeep)
        #expect(error(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)) == nil)
    }

    @Test func hugeListsAreRead() throws {
        let text = "[" + String(repeating: "0,", count: 200_000) + "]"
        #expect(try JSONReader.parse(text).elements.count == 200_000)
    }

    @Test func randomBytesNeverCrash() {
        var random = SeededGenerator()
        let alphabet = Array(#"{}[]:,"'\u0041dD -1.eEL9atruefalsn$_"#.utf8) + [0, 0x7F, 0x80, 0xC3, 0xFF]
        for _ in 0..<4_000 {
            let count = Int.random(in: 0...60, using: &random)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            guard let value = try? JSONReader.parse(ByteBuffer(bytes: bytes)) else { continue }
            // What was read can be written and read again, in both forms.
            for style in [JSONWriter.Style.standard, .fastjson, .ascii] {
                #expect(throws: Never.self) { try JSONReader.parse(JSONWriter.compact(value, style: style)) }
            }
        }
    }

    private func tree(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 3 ? 4 : 7), using: &random) {
        case 0: return .bool(.random(using: &random))
        case 1: return .integer(.random(in: .min ... .max, using: &random))
        case 2: return .double(Double.random(in: -1e9...1e9, using: &random) + 0.5)
        case 3: return .string(random.text(Int.random(in: 0...12, using: &random)) + "\u{0}\"\\\u{7F}")
        case 4: return .array((0..<3).map { _ in tree(depth + 1, &random) })
        default:
            return .object(
                (0..<3).map { index in
                    let isText = Bool.random(using: &random)
                    let key = isText ? JSONValue.MemberKey.text("k\(index)/é") : .integer(Int64(index))
                    return JSONValue.Member(key, tree(depth + 1, &random))
                })
        }
    }

    @Test func treesSurviveARoundTrip() throws {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let value = tree(0, &random)
            #expect(try JSONReader.parse(JSONWriter.compact(value)) == value)
            #expect(try JSONReader.parse(JSONWriter.pretty(value)) == value)
            let standard = try JSONReader.parse(JSONWriter.compact(value, style: .standard))
            let ascii = JSONWriter.compact(value, style: .ascii)
            #expect(ascii.readableBytesView.allSatisfy { $0 < 0x80 })
            #expect(try JSONReader.parse(ascii) == standard)
        }
    }
}
