import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct RecoveryTests {
    private static let firstFile = "/store/commitlog/00000000000000000000"
    /// Without it recovery does not know what was flushed.
    private static let mark = "/store/escrow/flushed"

    /// Overwrites bytes of a file behind the log's back.
    private func damage(_ fixture: LogFixture, _ path: String, at offset: Int, _ bytes: [UInt8]) throws {
        let file = try fixture.device.open(path, .readWrite)
        try file.write(bytes.span, at: offset)
        try file.flush()
    }

    @Test func `An empty directory becomes an empty log`() throws {
        let fixture = LogFixture()
        let (log, found) = try fixture.open()
        #expect(found.report == RecoveryReport(start: .zero, end: .zero))
        #expect(log.minimumOffset == .zero && log.appendedOffset == .zero && log.readable(from: .zero) == nil)
        #expect(try fixture.device.entry(Self.firstFile)?.length == 16_384)
    }

    @Test func `A clean restart finds everything and deletes the unused file`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        for index in 0..<4 { try LogFixture.append("\(index)" + String(repeating: "f", count: 3000), to: log) }
        try log.zeroFillAhead()
        #expect(try fixture.device.list("/store/commitlog")?.count == 2)
        try log.close()
        #expect(try fixture.device.list("/store/commitlog")?.count == 1)
        #expect(throws: StoreError.self) { try LogFixture.append("closed", to: log) }
        fixture.device.kill()
        let (again, found) = try fixture.open()
        #expect(found.entries.count == 4 && found.report.cause == nil)
        #expect(again.nextQueueOffset(of: LogFixture.queue(0)).rawValue == 4)
        #expect(again.flushedOffset == again.appendedOffset)
    }

    /// F16: the last file cut at every byte of the last three records.
    @Test func `A torn tail ends the log before the torn record and is cleared`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var items: [AppendBatch.Item] = []
        for index in 0..<5 { items.append(try LogFixture.append("record \(index)", to: log)) }
        let end = Int(log.appendedOffset.rawValue)
        try log.close()
        var original = ByteBuffer()
        _ = try fixture.device.open(Self.firstFile, .readOnly).read(at: 0, count: end, into: &original)

        for cut in Int(items[2].logOffset.rawValue)..<end {
            fixture.device.kill()
            try damage(fixture, Self.firstFile, at: cut, Array(repeating: 0, count: end - cut))
            try fixture.device.remove(Self.mark)
            let (log, found) = try fixture.open(.abnormal(notAfter: .zero))
            // A cut inside of trailing zeros of the record would change nothing; these records have none.
            let whole = items.prefix { Int($0.logOffset.rawValue) + Int($0.size) <= cut }.count
            #expect(found.entries.count == whole, "cut at \(cut)")
            try LogFixture.append("new", to: log)
            try log.flush()
            fixture.device.crash()
            #expect(try fixture.open().found.bodies == (0..<whole).map { "record \($0)" } + ["new"], "cut at \(cut)")
            fixture.device.kill()
            try damage(
                fixture, Self.firstFile, at: 0, Array(original.readableBytesView) + Array(repeating: 0, count: 512))
        }
    }

    @Test(arguments: 0..<3)
    func `Flushed records behind a damaged one stay, and its place is not used again`(damaged: Int) throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var items: [AppendBatch.Item] = []
        for index in 0..<3 { items.append(try LogFixture.append("record \(index)", to: log)) }
        let end = try log.flush()
        try LogFixture.append("not flushed", to: log)
        fixture.device.kill()
        let start = Int(items[damaged].logOffset.rawValue)
        let size = Int(items[damaged].size)
        for byte in Array(0..<12) + Array(28..<36) + Array(84..<96) {
            fixture.device.flipBit(Self.firstFile, byte: start + byte, bit: byte % 8)
            let (again, found) = try fixture.open(.abnormal(notAfter: .zero))
            #expect(
                found.bodies.filter { $0 != "not flushed" } == (0..<3).filter { $0 != damaged }.map { "record \($0)" })
            let lost = LogOffset(rawValue: Int64(start))
            #expect(found.report.damaged == [lost..<lost + size], "byte \(byte)")
            #expect(again.appendedOffset >= end, "byte \(byte)")
            fixture.device.kill()
            fixture.device.flipBit(Self.firstFile, byte: start + byte, bit: byte % 8)
        }
    }

    @Test func `Every flipped bit of the last record is noticed or harmless`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("kept", to: log)
        let last = try LogFixture.append("flipped", to: log)
        try log.close()
        let start = Int(last.logOffset.rawValue)
        // Magic, length, CRC, position, body and lengths are covered; times, hosts and flags are not (RocketMQ's
        // format).
        let covered = Array(0..<12) + Array(28..<36) + Array(84..<88 + 7)
        for byte in covered {
            fixture.device.kill()
            fixture.device.flipBit(Self.firstFile, byte: start + byte, bit: byte % 8)
            try fixture.device.remove(Self.mark)
            let log = try fixture.load()
            let found = Recovered()
            let report = try log.recover(.normal) { offset, record, bytes in
                found.note(offset, record, bytes)
                return .accept
            }
            #expect(found.bodies == ["kept"], "byte \(byte)")
            #expect(report.cause != nil && report.zeroedBytes > 0)
            _ = try LogFixture.appendWhole("flipped", to: log, after: found)
            try log.close()
        }
    }

    @Test func `Garbage behind the end is cleared and flushed before the first append`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("good", to: log)
        let end = Int(log.appendedOffset.rawValue)
        try log.close()
        fixture.device.kill()
        try damage(fixture, Self.firstFile, at: end, (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) })
        try damage(fixture, Self.firstFile, at: 12_000, [1, 2, 3])
        let found = try fixture.open().found
        #expect(found.bodies == ["good"] && found.report.cause != nil)
        #expect(found.report.zeroedBytes >= 3000 + 3 - 512)
        fixture.device.crash()
        #expect(try isZero(fixture, from: end))
        let second = try fixture.open().found.report
        #expect(second.end.rawValue == Int64(end) && second.cause == nil && second.zeroedBytes == 0)
    }

    private func isZero(_ fixture: LogFixture, from start: Int) throws -> Bool {
        let file = try fixture.device.open(Self.firstFile, .readOnly)
        #expect(try file.length() == 16_384)
        var bytes = ByteBuffer()
        _ = try file.read(at: start, count: 16_384 - start, into: &bytes)
        return bytes.readableBytesView.allSatisfy { $0 == 0 }
    }

    /// F18: after a truncation, whole and valid records of an earlier life must not come back.
    @Test func `Valid records behind a truncation do not come back`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var items: [AppendBatch.Item] = []
        for index in 0..<6 { items.append(try LogFixture.append("record \(index)", to: log)) }
        try log.close()
        fixture.device.kill()
        // The third record is damaged; a new record of the same length takes its place exactly.
        try damage(fixture, Self.firstFile, at: Int(items[2].logOffset.rawValue) + 90, [0xFF, 0xFF])
        try fixture.device.remove(Self.mark)
        let (again, found) = try fixture.open()
        #expect(found.bodies == ["record 0", "record 1"])
        let item = try LogFixture.append("record X", to: again)
        #expect(item.logOffset == items[2].logOffset && item.size == items[2].size)
        try again.flush()
        fixture.device.crash()
        #expect(try fixture.open().found.bodies == ["record 0", "record 1", "record X"])
    }

    @Test func `The visitor may end the log, and files behind the end are deleted`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        for index in 0..<12 { try LogFixture.append("\(index) " + String(repeating: "v", count: 3000), to: log) }
        try log.close()
        fixture.device.kill()
        #expect(try fixture.device.list("/store/commitlog")?.count == 3)
        let again = try fixture.load()
        let report = try again.recover(.normal) { _, record, _ in
            record.queueOffset.rawValue < 2 ? .accept : .endOfLog(cause: "enough")
        }
        #expect(report.records == 2 && report.cause == "enough" && report.removedSegments == 2)
        #expect(try fixture.device.list("/store/commitlog")?.count == 1)
        fixture.device.crash()
        #expect(try fixture.open().found.report.records == 2)
    }

    @Test func `A normal start scans the last three files, an abnormal one from the checkpoint's time`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var firstOfFile: [Timestamp] = []
        for index in 0..<24 {
            fixture.clock.advance(by: .seconds(1))
            let item = try LogFixture.append("\(index) " + String(repeating: "v", count: 3000), to: log)
            if item.logOffset.rawValue % 16_384 == 0 { firstOfFile.append(fixture.clock.now()) }
        }
        let files = firstOfFile.count
        #expect(files >= 5)
        try log.close()
        func start(_ start: RecoveryStart) throws -> Int64 {
            fixture.device.kill()
            return try fixture.open(start).found.report.start.rawValue / 16_384
        }
        #expect(try start(.normal) == Int64(files - 3))
        #expect(try start(.abnormal(notAfter: firstOfFile[1])) == 1)
        #expect(try start(.abnormal(notAfter: firstOfFile[1].advanced(by: .milliseconds(-1)))) == 0)
        #expect(try start(.abnormal(notAfter: fixture.clock.now())) == Int64(files - 1))
        #expect(try start(.abnormal(notAfter: .zero)) == 0)
    }

    @Test func `A blank record without a following file is the end and is cleared`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        let body = String(repeating: "b", count: 7000)
        for _ in 0..<2 { try LogFixture.append(body, to: log) }
        let end = log.appendedOffset
        try LogFixture.append(body, to: log)
        try log.close()
        fixture.device.kill()
        try fixture.device.remove("/store/commitlog/00000000000000016384")
        let (again, found) = try fixture.open()
        #expect(found.report.end == end && found.entries.count == 2)
        let item = try LogFixture.append("fits", to: again)
        #expect(item.logOffset == end)
    }

    @Test func `Files that cannot be one log are named`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        for _ in 0..<12 { try LogFixture.append(String(repeating: "v", count: 3000), to: log) }
        try log.close()
        func refusal(_ damage: () throws -> Void, _ repair: () throws -> Void) throws -> String {
            fixture.device.kill()
            try damage()
            let error = #expect(throws: StoreError.self) { try fixture.load() }
            #expect(error?.code == .corrupt)
            try repair()
            return error?.message ?? ""
        }
        let second = "/store/commitlog/00000000000000016384"
        let text = try refusal {
            try fixture.device.open(second, .readWrite).setLength(100)
        } _: {
            try fixture.device.open(second, .readWrite).setLength(16_384)
        }
        #expect(text.contains(second) && text.contains("100 bytes") && text.contains("mappedFileSizeCommitLog"))
        let gap = try refusal {
            try fixture.device.rename(second, to: "/store/away")
        } _: {
            try fixture.device.rename("/store/away", to: second)
        }
        #expect(gap.contains("00000000000000016384 is missing"))
        let foreign = try refusal {
            _ = try fixture.device.open("/store/commitlog/notes.txt", .create)
        } _: {
            try fixture.device.remove("/store/commitlog/notes.txt")
        }
        #expect(foreign.contains("notes.txt"))
        fixture.device.kill()
        _ = try fixture.load()
    }

    @Test func `A last file without content, left by a kill during its creation, is no obstacle`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("a", to: log)
        try log.flush()
        fixture.device.kill()
        _ = try fixture.device.open("/store/commitlog/00000000000000016384", .create)
        #expect(try fixture.open().found.bodies == ["a"])
    }

    @Test func `Deleted files stay readable for who holds them`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        for index in 0..<12 { try LogFixture.append("\(index) " + String(repeating: "v", count: 3000), to: log) }
        let held = try #require(log.readable(from: .zero))
        #expect(try log.removeSegments(below: log.appendedOffset) == .zero, "not durable yet")
        try log.flush()
        #expect(try log.removeSegments(below: LogOffset(rawValue: 20_000)).rawValue == 16_384)
        #expect(log.minimumOffset.rawValue == 16_384)
        #expect(log.readable(from: .zero) == nil && log.slice(at: .zero, count: 10) == nil)
        #expect(try held.withBytes { try RecordView.parse($0).queueOffset.rawValue } == 0)
        #expect(try log.removeSegments(below: LogOffset(rawValue: .max)).rawValue == 32_768)
        #expect(try log.segmentInfo().map(\.offset.rawValue) == [32_768])
        fixture.device.kill()
        #expect(try fixture.open().log.minimumOffset.rawValue == 32_768)
    }
}

extension LogFixture {
    /// Appends with the queue offset that follows what was found.
    static func appendWhole(_ body: String, to log: CommitLog, after found: Recovered) throws -> AppendBatch.Item {
        log.setNextQueueOffset(QueueOffset(rawValue: found.nextOffsets[0] ?? 0), of: queue(0))
        return try append(body, to: log)
    }
}
