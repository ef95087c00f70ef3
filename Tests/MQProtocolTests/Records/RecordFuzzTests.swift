import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct RecordFuzzTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let draft = self.draft(&random)
            var buffer = ByteBuffer(bytes: random.bytes(Int.random(in: 0...9, using: &random)))
            let start = buffer.readableBytes
            let total = try buffer.writeRecord(draft)
            let bytes = buffer.array
            let record = try RecordView.parse(bytes.span, at: start)
            #expect(record.totalSize == total)
            #expect(record.checksumMatches(bytes, at: start))
            #expect(record.sysFlag == draft.recordSysFlag)
            #expect(record.bornHost == draft.bornHost)
            #expect(record.storeHost == draft.storeHost)
            #expect(record.queueID == draft.queueID)
            #expect(record.preparedTransactionOffset == draft.preparedTransactionOffset)
            buffer.moveReaderIndex(to: start)
            let message = try StoredMessage(reading: &buffer)
            #expect(message.topic == draft.topic)
            #expect(message.body == draft.body)
            #expect(message.properties == MessageProperties(text: draft.properties))
            #expect(buffer.readableBytes == 0)
        }
    }

    /// Any bytes: an error or a record whose parts lie inside it, never a trap.
    @Test func damagedRecordsAreErrors() {
        var random = SeededGenerator()
        let originals = recordVectors.map(\.bytes.array)
        for _ in 0..<30_000 {
            var bytes = originals.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            check(bytes)
        }
    }

    /// Right magic and plausible lengths with random content: the checks behind the first one are reached.
    @Test func inventedRecordsAreErrors() {
        var random = SeededGenerator()
        for _ in 0..<30_000 {
            var buffer = ByteBuffer(bytes: random.bytes(Int.random(in: 0...200, using: &random)))
            let claimed = Int32(clamping: buffer.readableBytes + Int.random(in: -20...20, using: &random))
            buffer.setInteger(claimed, at: 0)
            let magic = Bool.random(using: &random) ? RecordLayout.magic : RecordLayout.longTopicMagic
            buffer.setInteger(magic, at: 4)
            if buffer.readableBytes >= 88, Bool.random(using: &random) {
                buffer.setInteger(Int32.random(in: -2...120, using: &random), at: 84)
                buffer.setInteger(Int32(0), at: RecordLayout.sysFlag)
            }
            check(buffer.array)
        }
    }

    @Test func randomBytesAreErrors() {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            let bytes = random.bytes(Int.random(in: 0...300, using: &random))
            check(bytes)
            let batch = ByteBuffer(bytes: bytes)
            if let items = try? BatchItem.decode(batch) {
                #expect(items.reduce(0) { $0 + $1.encodedBytes } == bytes.count)
            }
            _ = try? Zlib.inflate(batch, limit: 1000)
        }
    }

    private func check(_ bytes: [UInt8]) {
        guard let record = try? RecordView.parse(bytes.span) else { return }
        #expect(record.totalSize <= bytes.count)
        #expect(record.bodyRange.upperBound <= record.topicRange.lowerBound)
        #expect(record.topicRange.upperBound <= record.propertiesRange.lowerBound)
        #expect(record.propertiesRange.upperBound == record.totalSize)
        _ = record.checksumMatches(bytes)
        var buffer = ByteBuffer(bytes: bytes)
        if let message = try? StoredMessage(reading: &buffer) {
            _ = try? message.decompressedBody(limit: 100)
        }
    }

    private func draft(_ random: inout SeededGenerator) -> MessageDraft {
        var properties = MessageProperties()
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            properties[random.letters(Int.random(in: 1...12, using: &random))] =
                random.text(Int.random(in: 1...20, using: &random))
        }
        return MessageDraft(
            topic: random.letters(Int.random(in: 1...127, using: &random)),
            queueID: Int32.random(in: .min ... .max, using: &random),
            flag: Int32.random(in: .min ... .max, using: &random),
            sysFlag: SysFlag(rawValue: Int32.random(in: .min ... .max, using: &random)),
            bornTimestamp: Timestamp(milliseconds: Int64.random(in: .min ... .max, using: &random)),
            bornHost: host(&random), storeHost: host(&random),
            reconsumeTimes: Int32.random(in: .min ... .max, using: &random),
            preparedTransactionOffset: LogOffset(rawValue: Int64.random(in: .min ... .max, using: &random)),
            body: ByteBuffer(bytes: random.bytes(Int.random(in: 0...500, using: &random))),
            properties: properties.encode())
    }

    private func host(_ random: inout SeededGenerator) -> HostAddress {
        let isV6 = Bool.random(using: &random)
        let (high, low) = (random.next(), random.next())
        let ip: HostAddress.IP = isV6 ? .v6(high, low) : .v4(UInt32(truncatingIfNeeded: low))
        return HostAddress(ip: ip, port: Int32.random(in: .min ... .max, using: &random))
    }
}
