import NIOCore
import Testing

@testable import MQProtocol

@Suite struct JSONWriterTests {
    @Test func escapes() {
        let text = JSONValue.string("\u{1}\u{2}\t\n\r\"\\/\u{7F}é😀")
        #expect(String(buffer: JSONWriter.compact(text)) == #""\u0001\u0002\t\n\r\"\\/\u007Fé😀""#)
        #expect(
            String(buffer: JSONWriter.compact(text, style: .ascii))
                == #""\u0001\u0002\t\n\r\"\\\/\u007F\u00E9\uD83D\uDE00""#
        )
    }

    @Test func nullMembersAndOddNumbers() {
        let value: JSONValue = ["a": nil, "b": .double(.infinity), "c": .double(0), "d": .double(0.05), "e": [nil]]
        #expect(String(buffer: JSONWriter.compact(value)) == #"{"b":null,"c":0.0,"d":0.05,"e":[null]}"#)
    }

    /// The forms of the config files of a stock broker.
    @Test func prettyForm() {
        #expect(
            String(buffer: DelayOffsetsBody(offsets: [2: 1, 3: 1]).encodePretty())
                == "{\n\t\"offsetTable\":{2:1,3:1\n\t}\n}"
        )
        let empty = ByteBuffer(hexText: "7b0a09226f66667365745461626c65223a7b7d0a7d")
        #expect(DelayOffsetsBody(offsets: [:]).encodePretty() == empty)
        let filter: JSONValue = ["bitNum": 112, "bitPos": [14, 14, 14]]
        #expect(String(buffer: JSONWriter.pretty(filter)) == "{\n\t\"bitNum\":112,\n\t\"bitPos\":[14,14,14]\n}")
    }
}
