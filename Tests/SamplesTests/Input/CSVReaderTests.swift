import Testing

@testable import ShopFlow

@Suite struct CSVReaderTests {
    /// Rows as lists of fields, malformed lines as `!line reason`.
    private func read(_ text: String, columns: Int? = nil, pieces: Int = 1_000_000) -> [String] {
        var reader = CSVReader()
        reader.columns = columns
        var found: [String] = []
        func drain() {
            while true {
                switch reader.next() {
                case .row:
                    let fields = reader.fields.map { String(decoding: reader.value($0), as: UTF8.self) }
                    found.append("\(reader.line) " + fields.joined(separator: "|"))
                case .malformed(let reason): found.append("!\(reader.line) \(reason)")
                case .needsMore, .end: return
                }
            }
        }
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            reader.push(bytes[start..<min(start + pieces, bytes.count)])
            drain()
        }
        reader.isComplete = true
        drain()
        return found
    }

    @Test(arguments: [
        ("a,b\n1,2\n", ["1 a|b", "2 1|2"]),
        ("a,b\r\n1,2\r\n", ["1 a|b", "2 1|2"]),
        ("a,b\n1,2", ["1 a|b", "2 1|2"]),
        ("a,b\r\n1,2\r", ["1 a|b", "2 1|2"]),
        ("a,b\r1,2\r3,4\r", ["1 a|b", "2 1|2", "3 3|4"]),
        ("a,b\r1,2\r3,4", ["1 a|b", "2 1|2", "3 3|4"]),
        ("a,b\r\n1,2\r3,4\r\n5,6\r\n", ["1 a|b", "2 1|2", "3 3|4", "4 5|6"]),
        ("\"a\",\"b\"\r\"two\rlines\",x\r3,4\r", ["1 a|b", "2 two\rlines|x", "4 3|4"]),
        ("\u{FEFF}a,b\n", ["1 a|b"]),
        ("\"a\",\"b,c\"\n", ["1 a|b,c"]),
        ("\"a\"\"b\",\"\"\n", ["1 a\"b|"]),
        ("\"\"\"\"\n", ["1 \""]),
        ("\"two\nlines\",x\n3,4\n", ["1 two\nlines|x", "3 3|4"]),
        ("\"two\r\nlines\",x\r\n3,4\r\n", ["1 two\r\nlines|x", "3 3|4"]),
        ("12\" RULER,x\n", ["1 12\" RULER|x"]),
        (",\n,,\n", ["1 |", "2 ||"]),
        ("naïve 😀,ß\n", ["1 naïve 😀|ß"]),
        ("\"a\"", ["1 a"]),
        ("", []),
        ("\n", ["1 "]),
    ])
    func readsRows(_ text: String, _ rows: [String]) {
        for pieces in [1, 2, 3, 7, 1000] { #expect(read(text, pieces: pieces) == rows) }
    }

    @Test(arguments: [
        ("a,b\n1\n3,4\n", ["1 a|b", "!2 1 field instead of 2", "3 3|4"]),
        ("a,b\n1,2,3\n3,4\n", ["1 a|b", "!2 3 fields instead of 2", "3 3|4"]),
        ("a,b\n \n3,4\n", ["1 a|b", "!2 1 field instead of 2", "3 3|4"]),
        ("a,b\n\"\"\n3,4\n", ["1 a|b", "!2 1 field instead of 2", "3 3|4"]),
        ("a,b\n\"6\" NAIL,2\n3,4\n", ["1 a|b", "!2 text behind a closing quote", "3 3|4"]),
        ("a,b\n\"open,2\n3,4\n", ["1 a|b", "!2 a quote that is not closed", "3 3|4"]),
        ("a,b\n\"open,2\n\"3\",4\n", ["1 a|b", "!2 text behind a closing quote", "3 3|4"]),
        ("a,b\n\"x\ny\"\n3,4\n", ["1 a|b", "!2 1 field instead of 2", "4 3|4"]),
        ("a,b\n1,\"x\n5,6\ny\",2\n3,4\n", ["1 a|b", "!2 3 fields instead of 2", "5 3|4"]),
        ("a,b\r1\r3,4\r", ["1 a|b", "!2 1 field instead of 2", "3 3|4"]),
        ("a,b\n\"open", ["1 a|b", "!2 a quote that is not closed"]),
    ])
    func aMalformedLineStopsNothing(_ text: String, _ rows: [String]) {
        for pieces in [1, 2, 3, 7, 1000] { #expect(read(text, columns: 2, pieces: pieces) == rows) }
    }

    @Test(arguments: [
        ("a,b\n\n3,4\n", ["1 a|b", "3 3|4"]), ("a,b\r\r\n3,4\r", ["1 a|b", "3 3|4"]),
        ("a,b\r\n3,4\r\n\r\n\r\n", ["1 a|b", "2 3|4"]),
        ("a,b\n\n\n\n1\n3,4\n\n", ["1 a|b", "!5 1 field instead of 2", "6 3|4"]),
    ])
    func emptyLinesAreNoRows(_ text: String, _ rows: [String]) {
        for pieces in [1, 2, 3, 7, 1000] { #expect(read(text, columns: 2, pieces: pieces) == rows) }
    }

    @Test func aQuoteThatIsNeverClosedCostsOneLine() {
        let rest = String(repeating: "3,4\n", count: 40_000)
        let found = read("a,b\n\"open,2\n" + rest, columns: 2, pieces: 4096)
        #expect(found.count == 40_002)
        #expect(found[1] == "!2 a quote that is not closed")
        #expect(found[2] == "3 3|4")
    }

    /// What a row is does not depend on where one piece ends and the next one begins.
    @Test(arguments: [
        ("", ""), ("x,y,", ""), ("\"a\",", ""), ("\"", "\""), ("\"", ""), ("\"a\"\"b", "\",c"), ("", ",c,\"d\""),
    ])
    func aLineThatIsTooLongIsMalformedHoweverItComes(_ head: String, _ foot: String) {
        let limit = CSVReader.maximumRowBytes
        for length in [limit, limit + 1, 100_000] {
            let rest = String(repeating: "x", count: length - head.utf8.count - foot.utf8.count)
            let text = "a,b\n" + head + rest + foot + "\r\n3,4\n"
            let whole = read(text)
            #expect(whole.count == 3)
            for pieces in length == 100_000 ? [30_000, 65_536] : [length + 4, length + 5] {
                #expect(read(text, pieces: pieces) == whole, "\(length) bytes in pieces of \(pieces)")
            }
        }
    }

    @Test func anEndlessLineIsGivenUp() {
        let found = read("a,b\n" + String(repeating: "x", count: 200_000) + "\n3,4\n", columns: 2, pieces: 4096)
        #expect(found.count == 3)
        #expect(found[1].hasPrefix("!2 a line of more than"))
        #expect(found[2] == "3 3|4")
    }
}
