import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQClient

@Suite struct ReceivedPropertiesTests {
    @Test("Properties are found in the text of the record, wherever it lies in its buffer")
    func lookUp() {
        var buffer = ByteBuffer(string: "before")
        buffer.writeString("KEYS\u{1}a b\u{2}TAGS\u{1}x\u{2}KEYS\u{1}c")
        buffer.moveReaderIndex(forwardBy: 6)
        let properties = ReceivedProperties(text: buffer)
        // Of two items with one name the last one counts.
        #expect(properties["KEYS"] == "c")
        #expect(properties["TAGS"] == "x")
        #expect(properties["TAG"] == nil)
        #expect(properties.dictionary == ["KEYS": "c", "TAGS": "x"])
        #expect(properties.map(\.key) == ["KEYS", "TAGS"] || properties.map(\.key) == ["TAGS", "KEYS"])
        #expect(!properties.isEmpty && ReceivedProperties(text: ByteBuffer()).isEmpty)
    }

    @Test("They can be made from a dictionary, and compare by what they hold")
    func making() {
        let properties: ReceivedProperties = ["b": "2", "a": "é", "": "no", "c": ""]
        #expect(properties.dictionary == ["b": "2", "a": "é"])
        #expect(properties == ReceivedProperties(text: ByteBuffer(string: "b\u{1}2\u{2}a\u{1}é")))
        #expect(properties != ["b": "2"])
    }

    @Test("A look-up agrees with a dictionary on random text")
    func random() {
        var generator = SeededGenerator()
        for _ in 0..<2000 {
            let alphabet: [UInt8] = [1, 2, 97, 98, 99]
            let bytes: [UInt8] = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 97
            }
            let text = ByteBuffer(bytes: bytes)
            let properties = ReceivedProperties(text: text)
            let all = MessageProperties(text: text)
            var expected: [String: String] = [:]
            for (name, value) in all { expected[name] = value }
            #expect(properties.dictionary == expected)
            for name in ["a", "b", "ab", "c"] { #expect(properties[name] == all[name]) }
        }
    }
}
