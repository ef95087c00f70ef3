import MQProtocol
import TestSupport
import Testing

@Suite struct PropertiesFileTests {
    @Test func readsWhatOperatorsWrite() {
        let file = PropertiesFile(
            parsing: """
                # a comment
                ! another
                brokerName=broker-a
                  listenPort = 10911
                namesrvAddr: 192.0.2.1:9876;192.0.2.2:9876

                deleteWhen 04
                empty=
                lonely
                """
        )
        #expect(file["brokerName"] == "broker-a")
        #expect(file["listenPort"] == "10911")
        #expect(file["namesrvAddr"] == "192.0.2.1:9876;192.0.2.2:9876")
        #expect(file["deleteWhen"] == "04")
        #expect(file["empty"] == "")
        #expect(file["lonely"] == "")
        #expect(file["missing"] == nil)
        #expect(file.entries.map(\.line) == [3, 4, 5, 7, 8, 9])
        #expect(file.warnings.map(\.line) == [9])
    }

    @Test func joinsContinuedLines() {
        let file = PropertiesFile(parsing: "list=a,\\\n    b,\\\r\n  c\nodd=x\\\\\nlast=1\\")
        #expect(file["list"] == "a,b,c")
        #expect(file["odd"] == "x\\")
        #expect(file["last"] == "1")
        #expect(file.entries.map(\.line) == [1, 4, 5])
    }

    @Test func aContinuedLineMayBeginLikeAComment() {
        let file = PropertiesFile(parsing: "a=1\\\n#2\n# comment \\\nb=3")
        #expect(file["a"] == "1#2")
        #expect(file["b"] == "3")
    }

    @Test func resolvesEscapes() {
        let file = PropertiesFile(parsing: "a\\ b\\=c=\\u0041\\t\\uD83D\\uDE00\\q\\:\nbad=\\u12x4\nhalf=\\uD83Dz")
        #expect(file["a b=c"] == "A\t\u{1F600}q:")
        #expect(file["bad"] == "u12x4")
        #expect(file["half"] == "\u{FFFD}z")
        #expect(file.warnings.map(\.line) == [2, 3])
    }

    @Test func trailingSpacesAreDroppedAndReported() {
        let file = PropertiesFile(parsing: "port=10911  \nkept=a\\ ")
        #expect(file["port"] == "10911")
        #expect(file["kept"] == "a ")
        #expect(file.warnings.map(\.line) == [1])
    }

    @Test func aCommentBehindAValueIsPartOfItAndReported() throws {
        let file = PropertiesFile(parsing: "brokerName=a # the first\ncolour=a#b")
        #expect(file["brokerName"] == "a # the first")
        #expect(file["colour"] == "a#b")
        let warning = try #require(file.warnings.first)
        #expect(file.warnings.count == 1)
        #expect(warning.line == 1)
        #expect(warning.message.contains("# the first"))
    }

    @Test func theLastOfSeveralValuesWinsAndIsReported() {
        let file = PropertiesFile(parsing: "a=1\nb=2\na=3")
        #expect(file["a"] == "3")
        #expect(file.entries.map(\.key) == ["a", "b"])
        #expect(file.warnings.map(\.line) == [3])
    }

    @Test func writtenTextReadsBack() {
        var file = PropertiesFile()
        file["plain"] = "value"
        file[" #key=: "] = " leading and trailing "
        file["lines"] = "a\nb\r\t\u{0C}\\ #!=:"
        file["gone"] = "x"
        file["gone"] = nil
        file["text"] = "日本 é"
        let again = PropertiesFile(parsing: file.text)
        #expect(again.entries.map(\.key) == file.entries.map(\.key))
        #expect(again.entries.map(\.value) == file.entries.map(\.value))
    }

    @Test func anyTextIsAccepted() {
        var generator = SeededGenerator()
        let alphabet = Array("ab=:#! \\\n\r\tu0D8\u{0C}é")
        for _ in 0..<2000 {
            let text = String(
                (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator)!
                })
            let file = PropertiesFile(parsing: text)
            let again = PropertiesFile(parsing: file.text)
            #expect(again.entries.map(\.value) == file.entries.map(\.value), "\(text.debugDescription)")
        }
    }

    @Test("Bytes are read as UTF-8, and as Latin-1 where they are not")
    func encodings() {
        #expect(PropertiesFile(parsing: Array("name=é键".utf8))["name"] == "é键")
        let comment: [UInt8] = [0x23, 0xB4, 0xE6, 0xB4, 0xA2, 0x0A]
        let file = PropertiesFile(parsing: comment + Array("brokerName=a\nx=".utf8) + [0xE9, 0x0A])
        #expect(file["brokerName"] == "a")
        #expect(file["x"] == "é")
    }
}
