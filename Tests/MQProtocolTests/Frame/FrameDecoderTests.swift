import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct FrameDecoderTests {
    /// All vectors in one stream, with the number of frames in it.
    private static let stream = (ByteBuffer(hexText: FrameVector.all.joined()), FrameVector.all.count)

    @Test func findsEveryFrameByteByByte() throws {
        let (stream, count) = Self.stream
        var decoder = FrameDecoder()
        var buffer = ByteBuffer()
        var frames: [Frame] = []
        for byte in stream.readableBytesView {
            buffer.writeInteger(byte)
            while let frame = try decoder.next(from: &buffer) { frames.append(frame) }
        }
        #expect(frames.count == count)
        #expect(buffer.readableBytes == 0)
    }

    @Test func findsEveryFrameInClumps() throws {
        let (stream, count) = Self.stream
        var random = SeededGenerator()
        for _ in 0..<20 {
            var rest = stream
            var decoder = FrameDecoder()
            var buffer = ByteBuffer()
            var codes: [Int32] = []
            while rest.readableBytes > 0 {
                let clump = Int.random(in: 1...min(700, rest.readableBytes), using: &random)
                var slice = rest.readSlice(length: clump) ?? ByteBuffer()
                buffer.writeBuffer(&slice)
                while let frame = try decoder.next(from: &buffer) { codes.append(frame.code) }
            }
            #expect(codes.count == count)
            #expect(codes.first == 30)
        }
    }

    private func error(_ hex: String, limit: Int = Frame.maximumBytes) -> FrameError.Code? {
        var buffer = ByteBuffer(hexText: hex)
        var decoder = FrameDecoder(maximumFrameBytes: limit)
        do {
            _ = try decoder.next(from: &buffer)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func refusesLengthsBeforeTheRestArrives() {
        #expect(error("00000000") == .invalidLength)
        #expect(error("00000003") == .invalidLength)
        #expect(error("ffffffff") == .invalidLength)
        #expect(error("80000000") == .invalidLength)
        #expect(error("7fffffff") == .frameTooLarge)
        #expect(error("01000000") == .frameTooLarge)
        #expect(error("00fffffd") == .frameTooLarge)
        #expect(error("00fffffc") == nil)
        #expect(error("00000400", limit: 1024) == .frameTooLarge)
        #expect(error("000003fc", limit: 1024) == nil)
        #expect(error("0000000402000000") == .unknownEncoding)
        #expect(error("0000000400000001") == .headerTooLong)
        #expect(error("0000006400000061") == .headerTooLong)
    }

    @Test func refusesMalformedHeaders() {
        #expect(error("0000000400000000") == .malformedHeader)
        #expect(error("0000000401000000") == .malformedHeader)
        #expect(error(frame("{}")) == .malformedHeader)
        #expect(error(frame("[]")) == .malformedHeader)
        #expect(error(frame(#"{"code":1,"extFields":{"a":"\uD8"}}"#)) == .malformedHeader)
        #expect(error(frame(#"{"code":1"#)) == .malformedHeader)
        #expect(error(frame(#"{"code":1,"x":"#)) == .malformedHeader)
        #expect(error(frame(#"{"code":99999999999}"#)) == .malformedHeader)
        let deep = String(repeating: "[", count: 50_000)
        #expect(error(frame(#"{"code":1,"x":"# + deep)) == .malformedHeader)
        let wide = String(repeating: "0,", count: 100_000)
        #expect(error(frame(#"{"code":1,"x":["# + wide + "]}")) == .malformedHeader)
    }

    @Test func refusesBinaryLengthsThatDoNotFit() throws {
        let whole = ByteBuffer(hexText: FrameVector.maxOffsetRequestBinary)
        // Remark length, total length of the fields, first key's length, first value's length.
        for (position, bytes) in [(21, 4), (25, 4), (29, 2), (38, 4)] {
            for value in [UInt8(0x7F), 0xFF, 0x01] {
                var broken = whole
                broken.setInteger(value, at: position)
                broken.setInteger(UInt8(0xFF), at: position + bytes - 1)
                #expect(error(broken.hexText) == .malformedHeader)
            }
        }
    }

    private func frame(_ header: String, body: String = "") -> String {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(4 + header.utf8.count + body.utf8.count))
        buffer.writeInteger(UInt32(header.utf8.count))
        buffer.writeString(header)
        buffer.writeString(body)
        return buffer.hexText
    }

    @Test func readsWhatFastjsonReads() throws {
        let texts = [
            #"{"code":30,"opaque":7,"flag":0,"extFields":{"topic":"T","queueId":3,"isForce":true,"gone":null}}"#,
            #"{code:30,'opaque':7,extFields:{topic:'T',queueId:3,isForce:true,gone:null,},}"#,
            #"{"code":"30","opaque":"7","extFields":{"topic":"T","queueId":"3","isForce":"TRUE"},"more":[{"a":1}]}"#,
            #" { "more" : { "x" : 1 } , "extFields" : { "topic" : "T" , "queueId" : "3", "isForce":"true"}, "#
                + #""opaque" : 7 ,"code" : 30 } "#,
        ]
        for text in texts {
            let frame = try FrameVectorTests.decode(frame(text))
            #expect(frame.code == 30)
            #expect(frame.opaque == 7)
            #expect(frame.fields.string("topic") == "T")
            #expect(frame.fields.int32("queueId") == 3)
            #expect(frame.fields.bool("isForce") == true)
            #expect(frame.fields.string("gone") == nil)
        }
        let nested = try FrameVectorTests.decode(frame(#"{"code":1,"extFields":{"a":{"b":[1,"x"]}}}"#))
        #expect(nested.fields.string("a") == #"{"b":[1,"x"]}"#)
    }

    @Test func languages() throws {
        #expect(try FrameVectorTests.decode(frame(#"{"code":1,"language":"GO"}"#)).language == .go)
        #expect(try FrameVectorTests.decode(frame(#"{"code":1,"language":9}"#)).language == .go)
        #expect(try FrameVectorTests.decode(frame(#"{"code":1,"language":"SWIFT"}"#)).language == .unknown)
        #expect(try FrameVectorTests.decode(frame(#"{"code":1}"#)).language == .java)
        #expect(LanguageCode.unknown.name == nil)
    }

    @Test func lastOfTwoEqualNamesCounts() throws {
        let frame = try FrameVectorTests.decode(frame(#"{"code":1,"extFields":{"a":"1","a":"2"}}"#))
        #expect(frame.fields.string("a") == "2")
    }
}
