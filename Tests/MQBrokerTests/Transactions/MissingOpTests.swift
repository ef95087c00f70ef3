import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Committed messages without an op record")
struct MissingOpTests {
    private func log(_ directory: URL) -> URL { directory.appending(path: "commitlog/00000000000000000000") }

    /// Changes the bytes of the op records of the log. That all halves were decided must not be on disk before the op
    /// records are: without them, nothing says so.
    private func changeOps(in directory: URL, _ change: (inout ByteBuffer, Range<Int>) -> Void) throws {
        var bytes = ByteBuffer(bytes: try Data(contentsOf: log(directory)))
        var position = 0
        while let record = try? RecordView.parse(bytes.readableBytesUInt8Span, at: position) {
            let topic = bytes.getString(at: position + record.topicRange.lowerBound, length: record.topicRange.count)
            if topic == SystemTopic.opHalf { change(&bytes, position..<position + record.totalSize) }
            position += record.totalSize
        }
        try Data(bytes.readableBytesView).write(to: log(directory))
        for name in ["consumerOffset.json", "transactionChecks.json"] {
            for suffix in ["", ".bak"] {
                try? FileManager.default.removeItem(at: directory.appending(path: "config/\(name)\(suffix)"))
            }
        }
    }

    /// As a power loss does that takes the end of the last write.
    private func tearOps(in directory: URL) throws {
        try changeOps(in: directory) { bytes, record in
            bytes.setRepeatingByte(0, count: record.count, at: record.lowerBound)
        }
        try Data().write(to: directory.appending(path: "abort"))
    }

    /// As if the op record had never been written: what is there speaks of a half that does not exist.
    private func misdirectOps(in directory: URL) throws {
        try changeOps(in: directory) { bytes, record in
            let body = record.lowerBound + 88
            bytes.setInteger(UInt8(ascii: "9"), at: body)
            let crc = bodyCRC(bytes.readableBytesUInt8Span.extracting(body..<body + 1))
            bytes.setInteger(crc, at: record.lowerBound + 8)
        }
    }

    /// A half and its verdict; closed.
    private func committed(in directory: URL, isIndexed: Bool = true) async throws -> SentHalf {
        try await LiveBroker.with({ $0.storage.messageIndex = isIndexed }, in: directory) { broker in
            let client = FakeClient("p", of: broker)
            let half = try await client.sendHalf("order", to: "T", key: "K1", immunity: 0)
            #expect(try await client.end(half, .commit) == (.success, .accepted))
            await client.close()
            return half
        }
    }

    private func expectCommitted(_ half: SentHalf, in directory: URL, isIndexed: Bool) async throws {
        try await LiveBroker.with({ $0.storage.messageIndex = isIndexed }, in: directory) { broker in
            let transactions = broker.service.broker.transactions
            let store = broker.service.broker.store
            let client = FakeClient("p", of: broker)
            #expect(transactions.undecidedCount == 0)
            _ = try await client.heartbeat(producers: ["P"])
            transactions.checkDue(clients: broker.service.broker.clients)
            #expect(try await client.end(half, .rollback) == (.systemError, .opposite))
            #expect(try await client.end(half, .commit) == (.success, .accepted))
            #expect(client.requests.isEmpty, "nobody is asked")
            store.dispatchPending()
            #expect(store.maximumOffset(of: store.queue("T", 0)).rawValue == 1, "delivered once")
            let lastOp = QueueOffset(rawValue: store.maximumOffset(of: transactions.opQueue).rawValue - 1)
            let last = try #require(store.record(of: transactions.opQueue, at: lastOp).flatMap(StoredRecord.init))
            #expect(HalfRecord.endedOffsets(last).map(\.rawValue) == [half.queueOffset])
            await client.close()
        }
    }

    @Test("A torn op record is written again", arguments: [true, false])
    func torn(isIndexed: Bool) async throws {
        try await LiveBroker.withDirectory { directory in
            let half = try await committed(in: directory, isIndexed: isIndexed)
            try tearOps(in: directory)
            for _ in 0..<2 { try await expectCommitted(half, in: directory, isIndexed: isIndexed) }
        }
    }

    @Test("An op record that was never written is written", arguments: [true, false])
    func neverWritten(isIndexed: Bool) async throws {
        try await LiveBroker.withDirectory { directory in
            let half = try await committed(in: directory, isIndexed: isIndexed)
            try misdirectOps(in: directory)
            for _ in 0..<2 { try await expectCommitted(half, in: directory, isIndexed: isIndexed) }
        }
    }

    @Test("A copy of a committed message, which names place 0, ends no other half")
    func copies() async throws {
        try await LiveBroker.withDirectory { directory in
            let clock = ManualClock(start: Timestamp(milliseconds: 1_800_000_000_000))
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                let client = FakeClient("p", of: broker)
                let first = try await client.sendHalf("open", to: "T", key: "K1")
                #expect(first.logOffset == 0)
                let second = try await client.send(
                    "later", to: "T",
                    properties: [
                        PropertyName.transactionPrepared: "true", PropertyName.producerGroup: "P",
                        PropertyName.uniqueKey: "K2", PropertyName.delayLevel: "1",
                    ], sysFlag: 4)
                let id = try #require(second.fields.string("msgId").flatMap { OffsetMessageID($0) })
                let half = SentHalf(
                    group: "P", key: "K2", queueOffset: second.fields.int64("queueOffset") ?? -1,
                    logOffset: id.offset.rawValue)
                #expect(try await client.end(half, .commit) == (.success, .accepted))
                broker.service.broker.store.dispatchPending()
                clock.advance(by: .seconds(2))
                _ = broker.service.broker.delays.fireRound()
                await client.close()
            }
            try await LiveBroker.with(in: directory, time: .manual(clock)) { broker in
                #expect(broker.service.broker.transactions.undecided.map(\.half.uniqueKey) == ["K1"])
            }
        }
    }

    @Test("What lies further back is found by the index, without reading the log", arguments: [Int64(0), 1 << 20])
    func farBack(scanned: Int64) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            let transactions = broker.service.broker.transactions
            var halves: [HalfMessage] = []
            for (key, verdict) in [("K1", Verdict.commit), ("K2", .rollback), ("K3", .commit)] {
                let sent = try await client.sendHalf("order", to: "T", key: key)
                halves += transactions.undecided.map(\.half)
                #expect(try await client.end(sent, verdict) == (.success, .accepted))
            }
            broker.service.broker.store.dispatchPending()
            #expect(halves.map(\.uniqueKey) == ["K1", "K2", "K3"])
            let found = transactions.committed(among: halves, scanning: scanned)
            #expect(found.map(\.uniqueKey) == ["K1", "K3"])
            #expect(transactions.committed(among: [], scanning: scanned) == [])
            await client.close()
        }
    }
}
