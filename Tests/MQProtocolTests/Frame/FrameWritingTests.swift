import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct FrameWritingTests {
    private func header(_ buffer: ByteBuffer) -> String {
        buffer.getString(at: 8, length: buffer.readableBytes - 8) ?? ""
    }

    @Test func requestInJSON() {
        var buffer = ByteBuffer()
        buffer.writeRequest(
            .getMaxOffset,
            opaque: 7,
            oneWay: true,
            header: QueueHeader(topic: "T\"\u{1}é", queueID: -3),
            extra: [("AccessKey", "k/\n")]
        )
        let expected =
            #"{"code":30,"extFields":{"topic":"T\"\u0001é","queueId":"-3","AccessKey":"k/\n"},"flag":2,"#
            + #""language":"OTHER","opaque":7,"serializeTypeCurrentRPC":"JSON","version":409}"#
        #expect(header(buffer) == expected)
    }

    @Test func responsesWithAndWithoutFields() {
        var plain = ByteBuffer()
        plain.writeResponse(.topicNotExist, to: ReplyTo(opaque: -1), remark: "a \"b\"")
        #expect(
            header(plain) == #"{"code":17,"flag":1,"language":"OTHER","opaque":-1,"remark":"a \"b\"","#
                + #""serializeTypeCurrentRPC":"JSON","version":409}"#
        )
        var empty = ByteBuffer()
        empty.writeResponse(.success, to: ReplyTo(opaque: 0), header: NoFieldsHeader())
        #expect(header(empty).hasPrefix(#"{"code":0,"extFields":{},"flag":1,"#))
    }

    @Test func headAndBodyInTwoSteps() throws {
        for encoding in [HeaderEncoding.json, .binary] {
            let reply = ReplyTo(opaque: 9, encoding: encoding)
            let fields = PullResponseHeader(
                suggestedBrokerID: 0,
                nextBeginOffset: QueueOffset(rawValue: .max),
                minimumOffset: QueueOffset(rawValue: .min),
                maximumOffset: QueueOffset(rawValue: 1_234_567_890_123)
            )
            var buffer = ByteBuffer()
            buffer.writeResponseHead(.success, to: reply, remark: "FOUND", header: fields, bodyBytes: 3)
            buffer.writeString("abc")
            var whole = ByteBuffer()
            whole.writeResponse(
                .success, to: reply, remark: "FOUND", header: fields, body: ByteBuffer(string: "abc")
            )
            #expect(buffer == whole)
            let frame = try FrameVectorTests.decode(whole.hexText)
            #expect(frame.encoding == encoding)
            #expect(try PullResponseHeader(frame.fields) == fields)
            #expect(String(buffer: frame.body) == "abc")
        }
    }

    @Test func severalFramesInOneBuffer() throws {
        var buffer = ByteBuffer()
        for opaque in 0..<3 as Range<Int32> {
            buffer.writeRequest(.heartbeat, opaque: opaque, header: EmptyHeader(), body: ByteBuffer(string: "{}"))
        }
        var decoder = FrameDecoder()
        for opaque in 0..<3 as Range<Int32> {
            #expect(try decoder.next(from: &buffer)?.opaque == opaque)
        }
        #expect(buffer.readableBytes == 0)
    }

    @Test func sendResponseWithIDsAsValues() throws {
        let first = try #require(OffsetMessageID("7F000002000051AF00000000000003EA"))
        let second = try #require(OffsetMessageID("7F000002000051AF00000000000004D0"))
        for encoding in [HeaderEncoding.json, .binary] {
            for ids in [MessageIDList.one(first), .many([first, second]), .text("x\"y")] {
                var buffer = ByteBuffer()
                let header = SendMessageResponseHeader(messageIDs: ids, queueID: 3, queueOffset: .zero)
                buffer.writeResponse(.success, to: ReplyTo(opaque: 1, encoding: encoding), header: header)
                let answer = try SendMessageResponseHeader(try FrameVectorTests.decode(buffer.hexText).fields)
                #expect(answer.messageIDs?.text == ids.text)
                #expect(answer.queueID == 3)
                #expect(answer.traceOn == true)
            }
        }
    }

    @Test func binaryLeavesEmptyValuesOut() throws {
        var buffer = ByteBuffer()
        let header = KeyValueHeader(namespace: "n", key: "k", value: "")
        buffer.writeRequest(.putKVConfig, opaque: 1, encoding: .binary, header: header, extra: [("", "x"), ("y", "")])
        let frame = try FrameVectorTests.decode(buffer.hexText)
        #expect(FrameVectorTests.values(frame) == ["namespace": "n", "key": "k"])
        var json = ByteBuffer()
        json.writeRequest(.putKVConfig, opaque: 1, header: header)
        #expect(try FrameVectorTests.decode(json.hexText).fields.string("value")?.isEmpty == true)
    }

    /// Control characters grow sixfold in JSON: a binary header can be forwarded to a JSON peer that cannot hold it.
    @Test func forwardedHeaderThatGrowsTooLong() throws {
        var buffer = ByteBuffer()
        let long = String(repeating: "\u{1}", count: 3_000_000)
        buffer.writeRequest(.getConsumerRunningInfo, opaque: 5, header: EmptyHeader(), extra: [("a", long)])
        let frame = try FrameVectorTests.decode(buffer.hexText)
        #expect(frame.opaque == 5)
        #expect(frame.fields.isEmpty)
    }

    @Test func decimals() {
        let edges: [Int64] = [
            0, 1, -1, 9, 10, 99_999_999, 100_000_000, 9_999_999_999_999_999, 10_000_000_000_000_000, .max, .min,
        ]
        var random = SeededGenerator()
        let randoms = (0..<2_000).map { _ in
            Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random)
        }
        for number in edges + randoms {
            var buffer = ByteBuffer()
            buffer.writeDecimal(number)
            #expect(String(buffer: buffer) == String(number))
            #expect(decimalLength(number) == buffer.readableBytes)
            #expect(parseDecimal(buffer.readableBytesUInt8Span, from: 0, to: buffer.readableBytes) == number)
        }
        let refused = [
            "", "-", "+1", "1a", " 1", "1.0", "9223372036854775808", "-9223372036854775809", "00000000000000000000",
        ]
        for text in refused {
            let bytes = Array(text.utf8)
            #expect(parseDecimal(bytes.span, from: 0, to: bytes.count) == nil, "\(text)")
        }
    }
}
