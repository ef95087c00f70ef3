import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// Properties that this broker takes from no sender: a stock broker does.
@Suite struct OddPropertiesTests {
    private static let file = "/store/commitlog/00000000000000000000"

    /// Five records, of which `odd` gets other bytes at `position` of its properties, behind the log's back.
    private func closedLog(
        odd: Int, at position: Int, _ bytes: [UInt8], properties: String = "KEYS\u{1}key\u{2}TAGS\u{1}tag"
    ) throws -> LogFixture {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var places: [Int] = []
        for index in 0..<5 {
            var batch = log.makeBatch()
            var draft = LogFixture.draft("record \(index)")
            draft.properties = ByteBuffer(string: properties)
            try batch.add(draft, to: LogFixture.queue(0))
            try log.append(&batch)
            places.append(Int(batch.end.rawValue) - properties.utf8.count)
        }
        try log.close()
        fixture.device.kill()
        let file = try fixture.device.open(Self.file, .readWrite)
        try file.write(bytes.span, at: places[odd] + position)
        try file.flush()
        // As in a stock broker's directory: what was flushed is not torn, whatever it looks like.
        try fixture.device.remove("/store/escrow/flushed")
        return fixture
    }

    private let all = (0..<5).map { "record \($0)" }

    /// A zero byte in a value, and an item without a name's end.
    @Test(arguments: [0, 2, 4], [UInt8(0), UInt8(ascii: "x")])
    func `A clean stop keeps every record`(odd: Int, byte: UInt8) throws {
        let fixture = try closedLog(odd: odd, at: byte == 0 ? 15 : 4, [byte])
        let before = try #require(try fixture.device.contents(of: Self.file))
        for _ in 0..<2 {
            let (log, found) = try fixture.open()
            #expect(found.bodies == all)
            #expect(found.report.cause == nil && found.report.zeroedBytes == 0 && found.report.oddRecords == 1)
            try log.close()
            fixture.device.kill()
        }
        #expect(try fixture.device.contents(of: Self.file) == before)
    }

    @Test(arguments: [UInt8(0), UInt8(ascii: "x")])
    func `After a crash a record with an intact one behind it is kept, the last one is not`(byte: UInt8) throws {
        let position = byte == 0 ? 6 : 4
        let middle = try closedLog(odd: 3, at: position, [byte]).open(.abnormal(notAfter: .zero)).found
        #expect(middle.bodies == all && middle.report.firstOdd == middle.entries[3].offset)
        let last = try closedLog(odd: 4, at: position, [byte]).open(.abnormal(notAfter: .zero)).found
        #expect(last.bodies == Array(all.dropLast()) && last.report.cause != nil)
    }

    @Test func `After a crash the last record of a full file is kept`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("odd", to: log)
        let end = log.appendedOffset
        try LogFixture.append(String(repeating: "x", count: 16_200), to: log)
        #expect(log.appendedOffset.rawValue > 16_384, "a blank record lies between the two")
        try log.close()
        fixture.device.kill()
        let file = try fixture.device.open(Self.file, .readWrite)
        try file.write(ByteBuffer(bytes: [0]), at: Int(end.rawValue) - 1)
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count == 2)
    }

    /// Sectors reach the disk in any order: the record behind may be whole and this one not.
    @Test func `After a crash a record that lacks a sector ends the log, whatever is behind it`() throws {
        let properties = "KEYS\u{1}" + String(repeating: "k", count: 1500)
        let whole = try closedLog(odd: 2, at: 700, [0], properties: properties).open(.abnormal(notAfter: .zero)).found
        #expect(whole.bodies == all)
        let start = whole.entries[2].offset.rawValue + Int64(whole.entries[2].size - properties.utf8.count)
        let inSector = Int((start + 511) / 512 * 512 - start)
        let fixture = try closedLog(
            odd: 2, at: inSector, Array(repeating: 0, count: 512), properties: properties)
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.bodies == ["record 0", "record 1"])
        let clean = try closedLog(odd: 2, at: inSector, Array(repeating: 0, count: 512), properties: properties)
        #expect(try clean.open().found.bodies == all)
    }

    @Test func `A checksum of the whole record says that it was stored so`() throws {
        var fixture = LogFixture()
        fixture.configuration.appendsRecordChecksum = true
        let (log, _) = try fixture.open()
        let item = try LogFixture.append("odd", to: log)
        try log.close()
        fixture.device.kill()
        var record = ByteBuffer()
        let file = try fixture.device.open(Self.file, .readWrite)
        _ = try file.read(at: 0, count: Int(item.size), into: &record)
        // The value of TAGS is the byte before the item end before the checksum.
        record.setInteger(UInt8(0), at: record.writerIndex - RecordChecksum.bytes - 2)
        RecordChecksum.seal(0..<record.readableBytes, in: &record)
        try file.write(record, at: 0)
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.bodies == ["odd"])
    }

    // MARK: Stored again

    private func draft(_ properties: String) -> MessageDraft {
        var draft = LogFixture.draft("odd")
        draft.properties = ByteBuffer(string: properties)
        return draft
    }

    private func storeAgain(_ properties: String, in log: CommitLog) throws -> AppendBatch.Item {
        var batch = log.makeBatch()
        try batch.add(draft(properties), to: LogFixture.queue(0), isStoredAgain: true)
        try log.append(&batch)
        return batch[0]
    }

    private func properties(of item: AppendBatch.Item, in log: CommitLog) throws -> [UInt8] {
        let slice = try #require(log.slice(at: item.logOffset, count: Int(item.size)))
        var bytes = ByteBuffer()
        slice.copy(into: &bytes)
        let range = try RecordView.parse(bytes.readableBytesUInt8Span).propertiesRange
        return Array(Array(bytes.readableBytesView)[range])
    }

    /// A power loss may undo the mark that says how far the log is flushed.
    private func loseMark(_ fixture: LogFixture) throws {
        fixture.device.kill()
        try fixture.device.remove("/store/escrow/flushed")
    }

    /// A zero byte, and text that does not parse.
    @Test(arguments: ["KEYS\u{1}a\u{0}b\u{2}TAGS\u{1}tag\u{2}", "KEYS\u{1}a\u{0}", "no separator"], [false, true])
    func `What was accepted before is stored again as it is, and stays there as the last record after a crash`(
        text: String, hasChecksum: Bool
    ) throws {
        var fixture = LogFixture()
        fixture.configuration.appendsRecordChecksum = hasChecksum
        let (log, _) = try fixture.open()
        try LogFixture.append("before", to: log)
        var fresh = log.makeBatch()
        let error = #expect(throws: StoreError.self) { try fresh.add(draft(text), to: LogFixture.queue(0)) }
        #expect(error?.code == .illegalRecord && fresh.isEmpty)
        let item = try storeAgain(text, in: log)
        try log.flush()
        try loseMark(fixture)
        for start in [RecoveryStart.abnormal(notAfter: .zero), .normal] {
            let (again, found) = try fixture.open(start)
            #expect(found.bodies == ["before", "odd"] && found.report.oddRecords == 1)
            let stored = try properties(of: item, in: again)
            let isSealed = RecordChecksum.isAtEnd(of: stored.span)
            #expect(isSealed && stored.starts(with: Array(text.utf8)))
            let added = stored.count - text.utf8.count - RecordChecksum.bytes
            #expect(added == (text.utf8.last == PropertyScan.itemEnd ? 0 : 1), "an item end alone")
            try again.close()
            fixture.device.kill()
        }
    }

    @Test func `A copy of a copy has one checksum`() throws {
        let (log, _) = try LogFixture().open()
        let first = try properties(of: storeAgain("KEYS\u{1}a\u{0}b\u{2}", in: log), in: log)
        let second = try properties(of: storeAgain(String(decoding: first, as: UTF8.self), in: log), in: log)
        #expect(first.count == second.count)
        #expect(first.dropLast(RecordChecksum.bytes) == second.dropLast(RecordChecksum.bytes))
    }

    /// Bytes before the end: the checksum's last one, and one of a value.
    @Test(arguments: [1, 100])
    func `A torn copy at the end of the log is noticed`(distance: Int) throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("before", to: log)
        _ = try storeAgain("KEYS\u{1}" + String(repeating: "k", count: 200) + "\u{0}b", in: log)
        let end = Int(log.appendedOffset.rawValue)
        try log.flush()
        try loseMark(fixture)
        let file = try fixture.device.open(Self.file, .readWrite)
        try file.write(ByteBuffer(string: "x"), at: end - distance)
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.bodies == ["before"])
    }

    @Test func `After a failed flush such a copy is served, and written again`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        let item = try storeAgain("KEYS\u{1}a\u{0}b", in: log)
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try log.flush() }
        let slice = try #require(log.slice(at: item.logOffset, count: Int(item.size)))
        let damage = try slice.withBytes { log.damage(to: try RecordView.parse($0), $0) }
        #expect(damage == nil)
        #expect(try log.flush() == log.appendedOffset)
        fixture.device.crash()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.bodies == ["odd"])
    }
}
