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
            try SendRequest(noted).writeProperties(into: &properties)
            #expect(try properties == SendRequest(noted).properties)
        }
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
