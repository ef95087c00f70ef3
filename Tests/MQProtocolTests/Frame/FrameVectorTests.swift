import NIOCore
import Testing

@testable import MQProtocol

/// Frames of stock peers decode to what they are known to say, and ours say the same after a round trip.
@Suite struct FrameVectorTests {
    static func decode(_ hex: String) throws -> Frame {
        var buffer = ByteBuffer(hexText: hex)
        var decoder = FrameDecoder()
        let frame = try #require(try decoder.next(from: &buffer))
        #expect(buffer.readableBytes == 0)
        return frame
    }

    static func values(_ frame: Frame) -> [String: String] {
        var values: [String: String] = [:]
        frame.fields.forEach { values[$0] = $1 }
        return values
    }

    @Test(arguments: FrameVector.all)
    func survivesARoundTripInBothEncodings(_ hex: String) throws {
        let frame = try Self.decode(hex)
        for encoding in [HeaderEncoding.json, .binary] {
            var copy = frame
            copy.encoding = encoding
            var buffer = ByteBuffer()
            buffer.writeFrame(copy)
            let again = try Self.decode(buffer.hexText)
            #expect(again.encoding == encoding)
            #expect(again.code == frame.code)
            #expect(again.language == .java)
            #expect(again.version == 409)
            #expect(again.opaque == frame.opaque)
            #expect(again.flag == frame.flag)
            #expect(again.remark == frame.remark)
            #expect(again.body == frame.body)
            #expect(Self.values(again) == Self.values(frame))
        }
    }

    /// With the fields in the order of the sender, our writer makes the very same bytes.
    @Test(arguments: FrameVector.all)
    func writesTheSameBytes(_ hex: String) throws {
        var buffer = ByteBuffer()
        buffer.writeFrame(try Self.decode(hex))
        #expect(buffer.array == ByteBuffer(hexText: hex).array)
    }

    @Test func maxOffsetRequest() throws {
        for hex in [FrameVector.maxOffsetRequestJSON, FrameVector.maxOffsetRequestBinary] {
            let frame = try Self.decode(hex)
            #expect(frame.requestCode == .getMaxOffset)
            #expect(frame.opaque == 7)
            #expect(!frame.isResponse && !frame.isOneWay)
            #expect(try QueueHeader(frame.fields) == QueueHeader(topic: "TopicTest", queueID: 3))
        }
    }

    @Test func responseWithRemark() throws {
        for hex in [FrameVector.responseJSON, FrameVector.responseBinary] {
            let frame = try Self.decode(hex)
            #expect(frame.responseCode == .topicNotExist)
            #expect(frame.isResponse)
            #expect(frame.remark == "no é")
            #expect(frame.fields.isEmpty)
            #expect(frame.body.array == [1, 2, 3])
        }
    }

    @Test func sendRequestOfTheJavaClient() throws {
        let frame = try Self.decode(FrameVector.sendRequestJSON)
        #expect(frame.requestCode == .sendMessageV2)
        #expect(String(buffer: frame.body) == "Hello RocketMQ")
        let header = try SendMessageHeader(frame.fields)
        #expect(header.producerGroup == "PG_facts")
        #expect(header.topic == "TopicTest")
        #expect(header.defaultTopic == "TBW102")
        #expect(header.defaultTopicQueueCount == 4)
        #expect(header.queueID == 3)
        #expect(header.sysFlag.rawValue == 0)
        #expect(header.bornTimestamp.milliseconds == 1_795_225_565_500)
        #expect(header.maximumReconsumeTimes == nil)
        #expect(!header.unitMode && !header.isBatch)
        let properties = MessageProperties(text: header.properties)
        #expect(properties["color"] == "red")
        #expect(properties["KEYS"] == "KEY1 KEY2")
        #expect(properties["TAGS"] == "TagA")
    }

    @Test func binarySendSharesThePropertiesWithTheFrame() throws {
        let header = try SendMessageHeader(try Self.decode(FrameVector.sendRequestBinary).fields)
        #expect(header.properties == ByteBuffer(string: "TAGS\u{1}B"))
        #expect(header.queueID == 1)
        let response = try Self.decode(FrameVector.sendResponseBinary)
        let answer = try SendMessageResponseHeader(response.fields)
        #expect(answer.messageIDs?.text == "7F000002000051AF0000000000000000")
        #expect(answer.queueID == 1)
        #expect(answer.queueOffset == .zero)
        #expect(answer.region == "DefaultRegion")
        #expect(answer.traceOn == true)
    }

    @Test func batchAndItsResponse() throws {
        let request = try Self.decode(FrameVector.batchRequestJSON)
        #expect(try SendMessageHeader(request.fields).isBatch)
        #expect(request.body.readableBytes == 363)
        let response = try SendMessageResponseHeader(try Self.decode(FrameVector.batchResponseJSON).fields)
        #expect(response.messageIDs?.text.split(separator: ",").count == 3)
        #expect(response.queueOffset == QueueOffset(rawValue: 1))
    }

    @Test func pullsOfBothEncodings() throws {
        let json = try PullMessageHeader(try Self.decode(FrameVector.pullRequestJSON).fields)
        #expect(json.consumerGroup == "CG_facts")
        #expect(json.flags == .suspend)
        #expect(json.suspendMilliseconds == 15_000)
        #expect(json.subscription == nil)
        #expect(json.subscriptionVersion == 1_795_225_566_363)
        let binary = try PullMessageHeader(try Self.decode(FrameVector.pullRequestBinary).fields)
        #expect(binary.flags == .subscription)
        #expect(binary.subscription == "*")
        #expect(binary.expressionType == "TAG")
        for hex in [FrameVector.pullResponseJSON, FrameVector.pullResponseBinary] {
            let frame = try Self.decode(hex)
            #expect(frame.remark == "FOUND")
            let header = try PullResponseHeader(frame.fields)
            #expect(header.suggestedBrokerID == 0)
            #expect(header.nextBeginOffset.rawValue == 1)
            #expect(header.minimumOffset.rawValue == 0)
            #expect(header.maximumOffset.rawValue == 1)
        }
    }
}
