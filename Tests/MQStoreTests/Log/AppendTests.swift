import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct AppendTests {
    @Test func `Records lie back to back and queue offsets are dense`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var batch = log.makeBatch()
        for index in 0..<6 {
            try batch.add(LogFixture.draft("body \(index)", queue: index % 2), to: LogFixture.queue(index % 2))
        }
        try log.append(&batch)
        #expect(batch[0].logOffset == .zero)
        #expect((0..<6).map { batch[$0].queueOffset.rawValue } == [0, 0, 1, 1, 2, 2])
        #expect(batch.end == log.appendedOffset)
        #expect(batch.storeTimestamp == fixture.clock.now())

        let found = try Recovered.reading(log)
        #expect(found.bodies == (0..<6).map { "body \($0)" })
        #expect(found.entries.map(\.offset) == (0..<6).map { batch[$0].logOffset })
        #expect(found.entries.map(\.queueOffset) == (0..<6).map { batch[$0].queueOffset })
    }

    @Test func `A topic is judged by its name, whatever queue the record is for`() throws {
        let (log, _) = try LogFixture().open()
        var batch = log.makeBatch()
        var draft = LogFixture.draft("x")
        try batch.add(draft, to: LogFixture.queue(0))
        draft.topic = "not a topic"
        #expect(throws: StoreError.self) { try batch.add(draft, to: LogFixture.queue(0)) }
        let misnamed = QueueRef(topic: draft.topic, queueID: 0, index: 0)
        #expect(throws: StoreError.self) { try batch.add(draft, to: misnamed) }
        draft.topic = "Topic"
        try batch.add(draft, to: misnamed)
        #expect(batch.count == 2)
    }

    @Test func `A known CRC is stored as it is`() throws {
        let (log, _) = try LogFixture().open()
        var batch = log.makeBatch()
        var draft = LogFixture.draft("x")
        draft.bodyCRC = 7
        try batch.add(draft, to: LogFixture.queue(0))
        let record = try RecordView.parse(batch.staging.readableBytesUInt8Span)
        #expect(record.bodyCRC == 7 && !record.bodyChecksumMatches(in: batch.staging.readableBytesUInt8Span))
    }

    @Test func `Half and rollback records take no place in their queue`() throws {
        let (log, _) = try LogFixture().open()
        var half = SysFlag()
        half.transactionType = .prepared
        var rollback = SysFlag()
        rollback.transactionType = .rollback
        var commit = SysFlag()
        commit.transactionType = .commit
        var batch = log.makeBatch()
        for flags in [SysFlag(), half, commit, rollback, SysFlag()] {
            try batch.add(LogFixture.draft("x", flags: flags), to: LogFixture.queue(0))
        }
        try log.append(&batch)
        #expect((0..<5).map { batch[$0].queueOffset.rawValue } == [0, 0, 1, 0, 2])
        #expect(log.nextQueueOffset(of: LogFixture.queue(0)).rawValue == 3)
    }

    @Test func `Store times never decrease when the clock does by a little, also over a restart`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var batch = log.makeBatch()
        try batch.add(LogFixture.draft("a"), to: LogFixture.queue(0))
        try log.append(&batch)
        let first = batch.storeTimestamp
        fixture.clock.set(to: first.advanced(by: .seconds(-9)))
        batch.removeAll()
        try batch.add(LogFixture.draft("b"), to: LogFixture.queue(0))
        try log.append(&batch)
        #expect(batch.storeTimestamp == first)
        try log.close()

        let (again, _) = try fixture.open()
        var later = again.makeBatch()
        try later.add(LogFixture.draft("c"), to: LogFixture.queue(0))
        try again.append(&later)
        #expect(later.storeTimestamp == first)
    }

    @Test func `IPv6 hosts move the store time`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var draft = LogFixture.draft("six")
        draft.bornHost = HostAddress(ip: .v6(1, 2), port: 3)
        var batch = log.makeBatch()
        try batch.add(draft, to: LogFixture.queue(0))
        try log.append(&batch)
        let slice = try #require(log.slice(at: .zero, count: Int(batch[0].size)))
        let record = try slice.withBytes { try RecordView.parse($0) }
        #expect(record.storeTimestamp == fixture.clock.now())
        #expect(record.storeHost == draft.storeHost)
    }

    /// The blank record of vectors.md 2.12.
    @Test func `The rest of a full file becomes a blank record`() throws {
        let fixture = LogFixture(segmentBytes: 65_536)
        let (log, _) = try fixture.open()
        var draft = LogFixture.draft("")
        draft.body = ByteBuffer(repeating: 7, count: 60_871 - draft.recordBytes)
        var batch = log.makeBatch()
        try batch.add(draft, to: LogFixture.queue(0))
        try log.append(&batch)
        #expect(log.appendedOffset.rawValue == 60_871)

        draft.body = ByteBuffer(repeating: 8, count: 4665)
        batch.removeAll()
        try batch.add(draft, to: LogFixture.queue(0))
        try log.append(&batch)
        #expect(batch[0].logOffset.rawValue == 65_536)
        let rest = try #require(log.readable(from: LogOffset(rawValue: 60_871)))
        var bytes = ByteBuffer()
        rest.copy(into: &bytes)
        #expect(bytes.readableBytes == 4665 && rest.endsSegment)
        #expect(bytes.readBytes(length: 8) == [0x00, 0x00, 0x12, 0x39, 0xCB, 0xD4, 0x31, 0x94])
        #expect(bytes.readableBytesView.allSatisfy { $0 == 0 })
    }

    @Test func `A record fits when exactly the blank's 8 bytes stay free, and not when one less does`() throws {
        for (spare, expected) in [(8, 0), (7, 16_384)] {
            let (log, _) = try LogFixture().open()
            var first = LogFixture.draft("")
            first.body = ByteBuffer(repeating: 1, count: 8000)
            var second = LogFixture.draft("")
            second.body = ByteBuffer(repeating: 2, count: 16_384 - spare - first.recordBytes - second.recordBytes)
            var batch = log.makeBatch()
            try batch.add(first, to: LogFixture.queue(0))
            try batch.add(second, to: LogFixture.queue(0))
            try log.append(&batch)
            #expect(batch[1].logOffset.rawValue == Int64(expected == 0 ? first.recordBytes : expected))
        }
    }

    @Test func `A group is never split between two files, other records of the batch are`() throws {
        let (log, _) = try LogFixture().open()
        let body = String(repeating: "g", count: 3000)
        var batch = log.makeBatch()
        for _ in 0..<3 { try batch.add(LogFixture.draft(body), to: LogFixture.queue(0)) }
        batch.beginGroup()
        for _ in 0..<3 { try batch.add(LogFixture.draft(body), to: LogFixture.queue(0)) }
        batch.endGroup()
        try log.append(&batch)
        #expect((0..<3).allSatisfy { batch[$0].logOffset.rawValue < 16_384 })
        #expect(batch[3].logOffset.rawValue == 16_384)
        #expect((3..<6).allSatisfy { batch[$0].logOffset.rawValue < 32_768 })
        #expect(try Recovered.reading(log).entries.map(\.queueOffset.rawValue) == [0, 1, 2, 3, 4, 5])
    }

    @Test func `One batch may fill many files`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var batch = log.makeBatch()
        for index in 0..<40 {
            try batch.add(LogFixture.draft("\(index) " + String(repeating: "x", count: 2500)), to: LogFixture.queue(0))
        }
        try log.append(&batch)
        #expect(log.appendedOffset.rawValue > 5 * 16_384)
        #expect(try Recovered.reading(log).bodies.map { $0.prefix { $0 != " " } } == (0..<40).map { "\($0)" })
        try log.close()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count == 40)
    }

    @Test func `A group that fits no file is refused when its record is added`() throws {
        let (log, _) = try LogFixture().open()
        var batch = log.makeBatch()
        try batch.add(LogFixture.draft("before"), to: LogFixture.queue(0))
        batch.beginGroup()
        let body = String(repeating: "g", count: 9000)
        try batch.add(LogFixture.draft(body), to: LogFixture.queue(0))
        let error = #expect(throws: StoreError.self) { try batch.add(LogFixture.draft(body), to: LogFixture.queue(0)) }
        #expect(error?.code == .recordTooLarge)
        batch.cancelGroup()
        try batch.add(LogFixture.draft("after"), to: LogFixture.queue(0))
        try log.append(&batch)
        #expect(try Recovered.reading(log).bodies == ["before", "after"])
    }

    @Test(arguments: ["no separator", "a\u{1}b\u{2}junk"])
    func `What recovery would not accept is not stored`(properties: String) throws {
        let (log, _) = try LogFixture().open()
        var draft = LogFixture.draft("x")
        draft.properties = ByteBuffer(string: properties)
        var batch = log.makeBatch()
        let error = #expect(throws: StoreError.self) { try batch.add(draft, to: LogFixture.queue(0)) }
        #expect(error?.code == .illegalRecord)
        draft = LogFixture.draft("x")
        draft.topic = "../escape"
        #expect(throws: StoreError.self) { try batch.add(draft, to: LogFixture.queue(0)) }
        #expect(batch.isEmpty && batch.byteCount == 0)
    }

    @Test func `Limits have their own codes`() throws {
        let (log, _) = try LogFixture().open()
        var batch = log.makeBatch()
        var draft = LogFixture.draft("x")
        draft.body = ByteBuffer(repeating: 1, count: 16_385)
        #expect(throws: StoreError.self) { try batch.add(draft, to: LogFixture.queue(0)) }
        draft = LogFixture.draft("x")
        draft.properties = ByteBuffer(string: "k\u{1}" + String(repeating: "v", count: 32_767))
        let error = #expect(throws: StoreError.self) { try batch.add(draft, to: LogFixture.queue(0)) }
        #expect(error?.code == .propertiesTooLarge)
    }

    @Test func `New files go to the directories in turn`() throws {
        var fixture = LogFixture()
        fixture.configuration.commitLogDirectories = ["/b", "/a"]
        let (log, _) = try fixture.open()
        for index in 0..<12 { try LogFixture.append("\(index)" + String(repeating: "y", count: 6000), to: log) }
        try log.flush()
        let a = try #require(try fixture.device.list("/a")).map(\.name)
        let b = try #require(try fixture.device.list("/b")).map(\.name)
        #expect(a.first == "00000000000000000000" && b.first == "00000000000000016384")
        #expect(abs(a.count - b.count) <= 1)
        fixture.device.kill()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count == 12)
    }

    @Test func `Appenders on many threads get dense queue offsets`() async throws {
        let fixture = LogFixture(segmentBytes: 1 << 20)
        let (log, _) = try fixture.open()
        let filler = ZeroFiller(log: log, logger: LogFixture.silent)
        try filler.start()
        await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<100 {
                        var batch = log.makeBatch()
                        for index in 0..<10 {
                            let queue = (task + index) % 3
                            try batch.add(
                                LogFixture.draft("\(task) \(round) \(index)", queue: queue), to: LogFixture.queue(queue)
                            )
                        }
                        try log.append(&batch)
                    }
                }
            }
        }
        filler.stop()
        let found = try Recovered.reading(log)
        #expect(found.entries.count == 4000)
        for queue in 0..<3 {
            let offsets = found.entries.filter { $0.queue == queue }.map(\.queueOffset.rawValue)
            #expect(offsets == Array(0..<Int64(offsets.count)))
        }
        #expect(Set(found.bodies).count == 4000)
    }
}
