import NIOCore
import Testing

@testable import MQProtocol

@Suite struct StoredMessageTests {
    @Test func readsThePullAnswerRecordByRecord() throws {
        var buffer = ByteBuffer()
        for vector in recordVectors { buffer.writeImmutableBuffer(vector.bytes) }
        let messages = try StoredMessage.list(from: buffer)
        #expect(messages.count == recordVectors.count)
        for (message, vector) in zip(messages, recordVectors) {
            #expect(message.topic == vector.topic)
            #expect(message.queueID == vector.queueID)
            #expect(message.body == vector.bodyBytes)
            #expect(message.properties == MessageProperties(text: vector.propertyText))
        }
    }

    @Test func namesAMessage() throws {
        var bytes = recordVectors[0].bytes
        let message = try StoredMessage(reading: &bytes)
        #expect(bytes.readableBytes == 0)
        #expect(message.messageID == "FD00000000000000000000000000000201E31DBD16A6676051370000")
        #expect(message.offsetMessageID.hex == "7F000002000051AF0000000000000000")
        #expect(message.tags == "TagA")
        #expect(message.keys == ["KEY1", "KEY2"])
        var op = recordVectors[7].bytes
        #expect(try StoredMessage(reading: &op).messageID == "7F000002000051AF0000000000000BF9")
    }

    @Test func decompressesZlib() throws {
        var bytes = recordVectors[3].bytes
        let message = try StoredMessage(reading: &bytes)
        let expected = String(repeating: "0123456789abcdef", count: 500)
        #expect(String(buffer: try message.decompressedBody()) == expected)
        let error = #expect(throws: RecordError.self) { try message.decompressedBody(limit: 7999) }
        #expect(error?.code == .inflatesBeyondLimit)
    }

    @Test func aDamagedBodyIsNoticed() throws {
        var bytes = recordVectors[0].bytes
        bytes.setInteger(UInt8(ascii: "h"), at: 88)
        let before = bytes
        let error = #expect(throws: RecordError.self) { try StoredMessage(reading: &bytes) }
        #expect(error?.code == .checksumMismatch)
        #expect(bytes == before)
        #expect(bytes.readerIndex == before.readerIndex)
    }

    @Test func aPullAnswerThatEndsEarlyIsAnError() {
        var buffer = recordVectors[0].bytes
        buffer.writeImmutableBuffer(recordVectors[1].bytes.getSlice(at: 0, length: 100) ?? ByteBuffer())
        #expect(throws: RecordError.self) { try StoredMessage.list(from: buffer) }
    }
}
