import NIOCore
import Testing

@testable import MQProtocol

@Suite struct SendRequestTests {
    private func fields(_ json: String) throws -> HeaderFields {
        let header = "{\"code\":310,\"extFields\":\(json),\"opaque\":1}"
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(4 + header.utf8.count))
        buffer.writeInteger(Int32(header.utf8.count))
        buffer.writeString(header)
        var decoder = FrameDecoder()
        return try #require(try decoder.next(from: &buffer)).fields
    }

    private let start = "{\"a\":\"G\",\"b\":\"T\",\"c\":\"D\",\"d\":\"4\",\"e\":\"2\",\"f\":\"0\",\"g\":\"9\""

    @Test func whatTheCheckNotedIsWhatAWalkFinds() throws {
        let texts = [
            start + ",\"h\":\"1\"}", start + ",\"h\":1,\"i\":\"A\\u0001b\\u0002\\u00e9\\ud83d\\ude00\\n\",\"m\":\"1\"}",
            start + ", \"h\" : \"-3\" ,\"j\":\"16\",\"k\":\"TRUE\",\"l\":\"5\",\"m\":\"true\",\"zz\":\"x\"}",
            start + ",\"h\":\"1\",\"b\":\"Other\",\"j\":null}",
            // Looks like a name of one letter, and is another.
            start + ",\"h\":\"1\",\"\\\":\":\"x\",\"k\":\"true\",\"H\":\"7\",\"{\":\"\",\"z\":\"\"}",
        ]
        for text in texts {
            let noted = try fields(text)
            let walked = HeaderFields(checked: noted.bytes, encoding: .json)
            #expect(noted.letters.areComplete && !walked.letters.areComplete)
            #expect(try SendMessageHeader(noted) == SendMessageHeader(walked))
            var properties = ByteBuffer()
            try SendRequest(noted).writeProperties(into: &properties, followedBy: [])
            #expect(try properties == SendRequest(noted).properties)
        }
    }

    @Test(arguments: [
        ("", "C\u{1}c"), ("A\\u0001b", "A\u{1}b\u{2}C\u{1}c"), ("A\\u0001b\\u0002", "A\u{1}b\u{2}C\u{1}c"),
        ("\\u0009\\u000a\\u00e9\\uD83D\\uDE00\\/", "\u{9}\n\u{E9}\u{1F600}/\u{2}C\u{1}c"),
        ("0123456\\u0001\\u0002", "0123456\u{1}\u{2}C\u{1}c"), ("abc", "abc\u{2}C\u{1}c"),
    ])
    func aPropertyIsAppended(_ text: String, _ expected: String) throws {
        let request = try SendRequest(try fields(start + ",\"h\":\"1\",\"i\":\"\(text)\"}"))
        var buffer = ByteBuffer(string: "what was there before, and longer than the text that comes")
        request.writeProperties(into: &buffer, followedBy: Array("C\u{1}c".utf8))
        #expect(String(buffer: buffer) == expected)
    }

    @Test func theTopicIsComparedByItsBytes() throws {
        let request = try SendRequest(try fields(start + ",\"h\":\"1\"}"))
        #expect(request.isFor(topic: Array("T".utf8)))
        #expect(!request.isFor(topic: Array("TT".utf8)) && !request.isFor(topic: Array("U".utf8)))
    }

    @Test func errorsNameTheFieldAsItWasWritten() throws {
        #expect(throws: HeaderError(.missingField, "flag")) { try SendRequest(try fields(start + "}")) }
        #expect(throws: HeaderError(.invalidNumber, "h")) { try SendRequest(try fields(start + ",\"h\":\"x\"}")) }
    }
}
