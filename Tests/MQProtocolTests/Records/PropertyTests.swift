import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct PropertyTests {
    private func decoded(_ symbols: String) -> MessageProperties {
        MessageProperties(text: ByteBuffer(propertySymbols: symbols))
    }

    @Test func encodesAsStockClientsDo() {
        var properties = MessageProperties()
        properties[PropertyName.tags] = "TagA"
        properties[PropertyName.keys] = "k1 k2"
        #expect(properties.encode().hexText == "544147530154616741024b455953016b31206b32")
    }

    @Test func decodesAsStockBrokersDo() {
        #expect(decoded("A␁b␂C␁␂D␁e␂trailing") == ["A": "b", "D": "e"])
        #expect(decoded("␁x␂k␁v") == ["k": "v"])
        #expect(decoded("k␁v␁w") == ["k": "v\u{1}w"])
        #expect(decoded("kv␂a␁b") == ["a": "b"])
        #expect(decoded("TAGS␁␂X␁y␂KEYS␁k1") == ["KEYS": "k1", "X": "y"])
        #expect(decoded("") == [:])
        #expect(decoded("␂␂␁␂") == [:])
    }

    @Test func acceptsATrailingSeparator() {
        #expect(decoded("a␁b␂") == ["a": "b"])
        #expect(decoded("a␁b␂c␁d␂") == ["a": "b", "c": "d"])
    }

    @Test func theLastOfANameWins() {
        let properties = decoded("WAIT␁true␂TAGS␁t␂WAIT␁false")
        #expect(properties["WAIT"] == "false")
        #expect(properties.count == 2)
        #expect(scanned("WAIT", "WAIT␁true␂TAGS␁t␂WAIT␁false") == "false")
    }

    @Test func valuesThatAreNotUTF8AreRepaired() {
        let properties = MessageProperties(text: ByteBuffer(bytes: [0x61, 1, 0xFF, 0x62]))
        #expect(properties["a"] == "\u{FFFD}b")
    }

    @Test func aSeparatorInAValueIsNamedAndLeftOut() {
        var properties: MessageProperties = ["good": "1"]
        #expect(properties.firstUnrepresentableName == nil)
        properties["bad"] = "x\u{2}y"
        #expect(properties.firstUnrepresentableName == "bad")
        #expect(MessageProperties(text: properties.encode()) == ["good": "1"])
        properties["bad"] = nil
        properties["b\u{1}d"] = "x"
        #expect(properties.firstUnrepresentableName == "b\u{1}d")
        properties["b\u{1}d"] = nil
        properties["empty"] = ""
        #expect(properties.encode() == ByteBuffer(propertySymbols: "good␁1"))
    }

    @Test func removesAndReplacesInPlace() {
        var properties = decoded("a␁1␂b␁2␂c␁3")
        properties["b"] = "two"
        properties["a"] = nil
        properties["d"] = "4"
        properties["none"] = nil
        #expect(properties.encode() == ByteBuffer(propertySymbols: "b␁two␂c␁3␂d␁4"))
        #expect(properties != ["b": "two", "c": "3"])
        #expect(properties != ["b": "two", "c": "3", "d": "5"])
        #expect(properties == ["d": "4", "c": "3", "b": "two"])
    }

    @Test func scansWithoutBuildingStrings() {
        let text = "color␁red␂KEYS␁KEY1 KEY2␂CLUSTER␁c␂TAGS␁TagA"
        #expect(scanned("TAGS", text) == "TagA")
        #expect(scanned("color", text) == "red")
        #expect(scanned("KEYS", text) == "KEY1 KEY2")
        #expect(scanned("KEY", text) == nil)
        #expect(scanned("KEYS1", text) == nil)
        #expect(scanned("red", text) == nil)
        #expect(scanned("a", "a␁b␁c␂") == "b\u{1}c")
    }

    @Test func scanAndDecodeAgree() {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let alphabet: [UInt8] = [1, 1, 2, 2, 0x61, 0x62, 0x63, 0]
            let length = Int.random(in: 0...24, using: &random)
            let text = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? 1 }
            let padded = [0x61, 1] + text + [1, 0x62]
            let properties = MessageProperties(text: ByteBuffer(bytes: text))
            for name in ["a", "b", "c", "ab", "\0"] {
                let range = PropertyScan.value(of: name, in: padded.span, range: 2..<(2 + length))
                #expect(range.map { String(decoding: padded[$0], as: UTF8.self) } == properties[name])
            }
            for (name, value) in properties { #expect(!name.isEmpty && !value.isEmpty) }
            #expect(MessageProperties(text: properties.encode()) == properties)
            _ = PropertyScan.isWellFormed(text.span, 0..<text.count)
        }
    }

    @Test func manyNamesAreReadInReasonableTime() {
        let items = (0..<6000).map { "\(String($0, radix: 36))␁v" }
        let properties = decoded((items + items).joined(separator: "␂"))
        #expect(properties.count == 6000)
    }

    @Test func tellsTextThatDoesNotParseToItsEnd() {
        func isWellFormed(_ symbols: String) -> Bool {
            let bytes = ByteBuffer(propertySymbols: symbols).array
            return PropertyScan.isWellFormed(bytes.span, 0..<bytes.count)
        }
        for good in ["", "a␁b", "a␁b␂", "a␁b␂c␁d", "a␁␂c␁d", "␂", "a␁b␂␂c␁d"] { #expect(isWellFormed(good), "\(good)") }
        for bad in ["a", "a␁b␂c", "␁b", "a␁b␂␁c", "a␂b␁c"] { #expect(!isWellFormed(bad), "\(bad)") }
    }

    @Test func readsIntegersInPlace() {
        func integer(_ text: String) -> Int64? {
            let bytes = Array(text.utf8)
            return PropertyScan.integer(bytes.span, 0..<bytes.count)
        }
        #expect(integer("0") == 0)
        #expect(integer("-17") == -17)
        #expect(integer("+3") == 3)
        #expect(integer("9223372036854775807") == .max)
        #expect(integer("-9223372036854775808") == .min)
        for bad in ["", "-", "9223372036854775808", "-9223372036854775809", "1x", " 1", "٣"] {
            #expect(integer(bad) == nil, "\(bad)")
        }
    }

    private func scanned(_ name: String, _ symbols: String) -> String? {
        let bytes = ByteBuffer(propertySymbols: symbols).array
        return PropertyScan.value(of: name, in: bytes.span).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
}
