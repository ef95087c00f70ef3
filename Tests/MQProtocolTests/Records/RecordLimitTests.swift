import NIOCore
import Testing

@testable import MQProtocol

@Suite struct RecordLimitTests {
    private let limits = RecordLimits(maximumBodyBytes: 1000)

    private func draft(topic: String = "T", body: Int = 0, properties: Int = 0) -> MessageDraft {
        let host = HostAddress(ip: .v4(0x7F00_0001), port: 10911)
        return MessageDraft(
            topic: topic, queueID: 0, bornTimestamp: .zero, bornHost: host, storeHost: host,
            body: ByteBuffer(repeating: 7, count: body), properties: ByteBuffer(repeating: 65, count: properties))
    }

    private func code(_ draft: MessageDraft) -> RecordError.Code? {
        var buffer = ByteBuffer(string: "kept")
        do throws(RecordError) {
            _ = try buffer.writeRecord(draft, limits: limits)
            return nil
        } catch {
            #expect(buffer == ByteBuffer(string: "kept"))
            return error.code
        }
    }

    @Test func refusesWhatNoBrokerStores() {
        #expect(code(draft(topic: "")) == .emptyTopic)
        #expect(code(draft(topic: String(repeating: "t", count: 128))) == .topicTooLong)
        #expect(code(draft(topic: String(repeating: "é", count: 64))) == .topicTooLong)
        #expect(code(draft(properties: 32_768)) == .propertiesTooLong)
        #expect(code(draft(body: 1001)) == .bodyTooLong)
    }

    @Test func acceptsEachLimitItself() {
        #expect(code(draft(topic: String(repeating: "t", count: 127), body: 1000, properties: 32_767)) == nil)
    }

    @Test func theWholeRecordHasALimitToo() {
        #expect(limits.maximumRecordBytes == 66_536)
        #expect(RecordLimits().maximumBodyBytes == 4_194_304)
        let tight = RecordLimits(maximumBodyBytes: -32_000)
        var buffer = ByteBuffer()
        #expect(throws: RecordError.self) { try buffer.writeRecord(draft(properties: 32_767), limits: tight) }
    }

    @Test func anEmptyBodyHasTheChecksumZero() throws {
        var buffer = ByteBuffer()
        _ = try buffer.writeRecord(draft())
        let record = try RecordView.parse(buffer.readableBytesUInt8Span)
        #expect(record.bodyCRC == 0)
        #expect(record.bodyRange.isEmpty)
        #expect(record.totalSize == 92)
    }

    @Test func hostBitsFollowTheHosts() throws {
        var message = draft()
        message.sysFlag = [.bornHostV6, .compressed]
        message.storeHost = HostAddress(ip: .v6(1, 2), port: 3)
        var buffer = ByteBuffer()
        _ = try buffer.writeRecord(message)
        let record = try RecordView.parse(buffer.readableBytesUInt8Span)
        #expect(record.sysFlag == [.storeHostV6, .compressed])
        #expect(record.storeHost == message.storeHost)
        #expect(record.bornHost == message.bornHost)
        #expect(record.totalSize == 104)
    }
}
