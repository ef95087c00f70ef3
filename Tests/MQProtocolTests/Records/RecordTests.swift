import NIOCore
import Testing

@testable import MQProtocol

@Suite struct RecordTests {
    @Test(arguments: recordVectors)
    func writesTheBytesOfAStockBroker(_ vector: RecordVector) throws {
        var buffer = ByteBuffer()
        let written = try buffer.writeRecord(vector.draft())
        #expect(written == vector.totalSize)
        #expect(buffer.readableBytes == vector.totalSize)
        let storeTimestampAt = RecordLayout.storeTimestamp(SysFlag(rawValue: vector.sysFlag))
        buffer.setInteger(vector.queueOffset, at: RecordLayout.queueOffset)
        buffer.setInteger(vector.physicalOffset, at: RecordLayout.physicalOffset)
        buffer.setInteger(vector.storeTimestamp, at: storeTimestampAt)
        #expect(buffer.hexText == vector.bytes.hexText)
    }

    @Test(arguments: recordVectors)
    func readsTheFieldsOfAStockRecord(_ vector: RecordVector) throws {
        let bytes = vector.bytes.array
        let record = try RecordView.parse(bytes.span)
        #expect(record.totalSize == vector.totalSize)
        #expect(record.bodyCRC == vector.bodyCRC)
        #expect(record.queueID == vector.queueID)
        #expect(record.flag == vector.flag)
        #expect(record.queueOffset.rawValue == vector.queueOffset)
        #expect(record.physicalOffset.rawValue == vector.physicalOffset)
        #expect(record.sysFlag.rawValue == vector.sysFlag)
        #expect(record.bornTimestamp.milliseconds == vector.bornTimestamp)
        #expect(record.bornHost == HostAddress(vector.bornHost))
        #expect(record.storeTimestamp.milliseconds == vector.storeTimestamp)
        #expect(record.storeHost == HostAddress(vector.storeHost))
        #expect(record.reconsumeTimes == vector.reconsumeTimes)
        #expect(record.preparedTransactionOffset.rawValue == vector.preparedTransactionOffset)
        #expect(Array(bytes[record.bodyRange]) == vector.bodyBytes.array)
        #expect(String(decoding: bytes[record.topicRange], as: UTF8.self) == vector.topic)
        #expect(Array(bytes[record.propertiesRange]) == vector.propertyText.array)
        #expect(record.checksumMatches(bytes))
    }

    @Test func readsWhereTheRecordBegins() throws {
        let log = ByteBuffer(bytes: [9, 9, 9] + recordVectors[0].bytes.array + recordVectors[1].bytes.array).array
        let first = try RecordView.parse(log.span, at: 3)
        let second = try RecordView.parse(log.span, at: 3 + first.totalSize)
        #expect(first.queueID == 3)
        #expect(second.physicalOffset.rawValue == 235)
        #expect(second.checksumMatches(log, at: 3 + first.totalSize))
        #expect(!second.checksumMatches(log, at: 4 + first.totalSize))
    }

    @Test func tellsABlankRecordBeforeParsing() {
        var buffer = ByteBuffer()
        buffer.writeBlankRecord(bytesLeft: 4665)
        #expect(buffer.hexText == "00001239cbd43194")
        let bytes = buffer.array
        let head = RecordView.sizeAndMagic(bytes.span)
        #expect(head?.size == 4665)
        #expect(head?.magic == RecordLayout.blankMagic)
        #expect(code(ofParsing: bytes) == .badMagic)
        let noHead = RecordView.sizeAndMagic(bytes.span, at: 1)
        #expect(noHead == nil)
    }

    @Test func readsTheLongTopicsOfFiveX() throws {
        let topic = String(repeating: "t", count: 300)
        let bytes = longTopicRecord(topic: topic, body: "five")
        let record = try RecordView.parse(bytes.span)
        #expect(String(decoding: bytes[record.topicRange], as: UTF8.self) == topic)
        #expect(String(decoding: bytes[record.bodyRange], as: UTF8.self) == "five")
        #expect(record.propertiesRange.count == 4)
        for length in 0..<bytes.count {
            #expect(code(ofParsing: Array(bytes[..<length])) == .truncated)
        }
    }

    @Test func everyPrefixIsTruncated() {
        for vector in recordVectors {
            let bytes = vector.bytes.array
            for length in 0..<bytes.count {
                #expect(code(ofParsing: Array(bytes[..<length])) == .truncated)
            }
        }
    }

    @Test func refusesLengthsThatDoNotAddUp() {
        let bytes = recordVectors[0].bytes.array
        let bodyLengthAt = 84
        let topicLengthAt = 88 + 14
        let propertyLengthAt = topicLengthAt + 10
        #expect(code(ofParsing: bytes, setting: Int32(-1), at: bodyLengthAt) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int32.max, at: bodyLengthAt) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int32(15), at: bodyLengthAt) == .malformed)
        #expect(code(ofParsing: bytes, setting: UInt8(255), at: topicLengthAt) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int16(-1), at: propertyLengthAt) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int16(122), at: propertyLengthAt) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int32(-5), at: RecordLayout.totalSize) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int32(90), at: RecordLayout.totalSize) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int32.max, at: RecordLayout.totalSize) == .truncated)
        #expect(code(ofParsing: bytes, setting: Int32(234), at: RecordLayout.totalSize) == .malformed)
        #expect(code(ofParsing: bytes, setting: Int32(0), at: RecordLayout.magicCode) == .badMagic)
        #expect(code(ofParsing: bytes, setting: Int32(0x30), at: RecordLayout.sysFlag) == .malformed)
    }

    private func code(ofParsing bytes: [UInt8]) -> RecordError.Code? {
        do throws(RecordError) {
            _ = try RecordView.parse(bytes.span)
            return nil
        } catch {
            return error.code
        }
    }

    private func code(
        ofParsing bytes: [UInt8], setting value: some FixedWidthInteger, at position: Int
    ) -> RecordError.Code? {
        var buffer = ByteBuffer(bytes: bytes)
        buffer.setInteger(value, at: position)
        return code(ofParsing: buffer.array)
    }

    private func longTopicRecord(topic: String, body: String) -> [UInt8] {
        var buffer = ByteBuffer()
        let properties = "a\u{1}bc"
        let total = 92 + body.utf8.count + topic.utf8.count + properties.utf8.count
        buffer.writeMultipleIntegers(Int32(total), RecordLayout.longTopicMagic)
        buffer.writeRepeatingByte(0, count: 76)
        buffer.writeInteger(Int32(body.utf8.count))
        buffer.writeString(body)
        buffer.writeInteger(UInt16(topic.utf8.count))
        buffer.writeString(topic)
        buffer.writeInteger(UInt16(properties.utf8.count))
        buffer.writeString(properties)
        return buffer.array
    }
}

extension RecordVector {
    /// What a broker has before it knows the record's place.
    func draft() throws -> MessageDraft {
        MessageDraft(
            topic: topic, queueID: queueID, flag: flag,
            sysFlag: SysFlag(rawValue: sysFlag).subtracting([.bornHostV6, .storeHostV6]),
            bornTimestamp: Timestamp(milliseconds: bornTimestamp), bornHost: try #require(HostAddress(bornHost)),
            storeHost: try #require(HostAddress(storeHost)), reconsumeTimes: reconsumeTimes,
            preparedTransactionOffset: LogOffset(rawValue: preparedTransactionOffset), body: bodyBytes,
            properties: propertyText)
    }
}
