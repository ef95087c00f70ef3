import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct RecordChecksumTests {
    private static let file = "/store/commitlog/00000000000000000000"

    private func fixture() -> LogFixture {
        var fixture = LogFixture()
        fixture.configuration.appendsRecordChecksum = true
        return fixture
    }

    private func bytes(_ fixture: LogFixture, _ item: AppendBatch.Item) throws -> [UInt8] {
        var buffer = ByteBuffer()
        let file = try fixture.device.open(Self.file, .readOnly)
        _ = try file.read(at: Int(item.logOffset.rawValue), count: Int(item.size), into: &buffer)
        return Array(buffer.readableBytesView)
    }

    @Test func `The checksum is the last property, its lowest digit first`() throws {
        let fixture = fixture()
        let (log, _) = try fixture.open()
        let record = try bytes(fixture, try LogFixture.append("body", to: log))
        let tail = Array(record.suffix(RecordChecksum.bytes))
        #expect(tail.count == 20)
        #expect(tail.starts(with: Array("__CRC32#".utf8) + [1]))
        #expect(tail.last == 2)
        let digits = String(decoding: tail[9..<19].reversed(), as: UTF8.self)
        #expect(Int32(digits) == bodyCRC(Array(record.dropLast(20)).span))
    }

    @Test func `Every flipped bit of a record ends the log before it`() throws {
        let fixture = fixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("kept", to: log)
        let last = try LogFixture.append("flipped", to: log)
        try log.close()
        let start = Int(last.logOffset.rawValue)
        let original = try bytes(fixture, last)
        for byte in 0..<Int(last.size) {
            fixture.device.kill()
            let file = try fixture.device.open(Self.file, .readWrite)
            try file.write([original[byte] ^ 0x10].span, at: start + byte)
            try file.flush()
            #expect(try fixture.open().found.bodies == ["kept"], "byte \(byte)")
            fixture.device.kill()
            try fixture.device.open(Self.file, .readWrite).write(original.span, at: start)
        }
        #expect(try fixture.open().found.bodies == ["kept", "flipped"])
    }

    @Test func `A damaged record stays unreadable, those behind it do not`() throws {
        var fixture = StoreFixture()
        fixture.configuration.appendsRecordChecksum = true
        let store = try fixture.open()
        for number in 0..<3 { try store.put("Topic", 0, body: "m\(number)", properties: "KEYS\u{1}k") }
        let size = Int(store.appendedOffset.rawValue) / 3
        let file = try fixture.device.open(Self.file, .readWrite)
        var byte = ByteBuffer()
        let place = 2 * size - RecordChecksum.bytes - 2
        _ = try file.read(at: place, count: 1, into: &byte)
        try file.write([byte.getInteger(at: 0, as: UInt8.self)! ^ 1].span, at: place)
        store.dispatchPending()
        let queue = store.queue("Topic", 0)
        #expect(store.record(of: queue, at: .zero) != nil)
        #expect(store.record(of: queue, at: QueueOffset(rawValue: 1)) == nil)
        #expect(store.record(of: queue, at: QueueOffset(rawValue: 2)) != nil)
    }

    @Test(arguments: [false, true])
    func `A checksum that a client made up is not stored`(hasChecksum: Bool) throws {
        var fixture = LogFixture()
        fixture.configuration.appendsRecordChecksum = hasChecksum
        let (log, _) = try fixture.open()
        var draft = LogFixture.draft("body")
        draft.properties = ByteBuffer(string: "KEYS\u{1}k\u{2}__CRC32#\u{1}0123456789\u{2}")
        var batch = log.makeBatch()
        try batch.add(draft, to: LogFixture.queue(0))
        try log.append(&batch)
        let record = try bytes(fixture, batch[0])
        #expect(!String(decoding: record, as: UTF8.self).contains("0123456789"))
        try log.close()
        fixture.device.kill()
        var later = fixture
        later.configuration.appendsRecordChecksum = true
        #expect(try later.open().found.bodies == ["body"])
    }

    @Test func `What is stored again goes without a checksum where its properties leave no room for one`() throws {
        var fixture = LogFixture(segmentBytes: 1 << 17)
        fixture.configuration.appendsRecordChecksum = true
        let (log, _) = try fixture.open()
        var draft = LogFixture.draft("body")
        for (count, hasRoom) in [(32_747, true), (32_748, false), (32_767, false)] {
            draft.properties = ByteBuffer(string: "k\u{1}" + String(repeating: "v", count: count - 3) + "\u{2}")
            var batch = log.makeBatch()
            if !hasRoom {
                let error = #expect(throws: StoreError.self) { try batch.add(draft, to: LogFixture.queue(0)) }
                #expect(error?.code == .propertiesTooLarge, "a fresh one is refused")
            }
            try batch.add(draft, to: LogFixture.queue(0), isStoredAgain: true)
            try log.append(&batch)
            let wanted = draft.recordBytes + (hasRoom ? RecordChecksum.bytes : 0)
            #expect(Int(batch[0].size) == wanted, "\(count)")
        }
        try log.flush()
        fixture.device.crash()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count == 3)
    }

    @Test func `Not so where its end would be taken for a damaged checksum`() throws {
        let (log, _) = try fixture().open()
        let end = "\u{2}__CRC32#\u{1}012345678x\u{2}"
        var draft = LogFixture.draft("body")
        draft.properties = ByteBuffer(string: "k\u{1}" + String(repeating: "v", count: 32_744) + end)
        var batch = log.makeBatch()
        let error = #expect(throws: StoreError.self) {
            try batch.add(draft, to: LogFixture.queue(0), isStoredAgain: true)
        }
        #expect(error?.code == .propertiesTooLarge && batch.isEmpty)
    }
}
