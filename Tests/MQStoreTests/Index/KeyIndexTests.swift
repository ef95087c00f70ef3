import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct KeyIndexTests {
    private static let begin: Int64 = 1_795_225_565_571
    private let device = SimulatedDevice(seed: 1)
    private let geometry = IndexGeometry(slots: 5000, entries: 1000)

    private func file() -> IndexFile {
        IndexFile(path: "/index", geometry: geometry, header: IndexHeader(), device: device)
    }

    private func hash(_ key: String) -> Int32 { indexKeyHash(topic: "TopicTest".utf8.span, key: key.utf8.span) }

    /// The index file of a stock broker.
    @Test func bytesOfAStockBroker() throws {
        var file = file()
        let keys: [(String, Int64)] = [
            ("FD00000000000000000000000000000201E31DBD16A6676051370000", 0), ("KEY1", 0), ("KEY2", 0),
            ("FD00000000000000000000000000000201E31DBD16A6676051CC0002", 0xEB), ("键", 0xEB),
        ]
        for (key, offset) in keys {
            let time = Timestamp(milliseconds: Self.begin + (offset > 0 ? 90 : 0))
            try file.add(hash: hash(key), logOffset: LogOffset(rawValue: offset), storedAt: time)
        }
        try file.write()
        let bytes = try #require(try device.contents(of: "/index"))
        #expect(bytes.readableBytes == 40 + 4 * 5000 + 20 * 1000)
        func hex(_ position: Int, _ count: Int) -> String { bytes.getSlice(at: position, length: count)?.hexText ?? "" }
        #expect(hex(0, 8) == "000001a1fbc83983")
        #expect(hex(32, 8) == "0000000500000006")
        #expect(hex(18_104, 4) == "00000002", "slot 4516 holds entry 2")
        let entries = [
            "4b427705" + "0000000000000000" + "0000000000000000", "62c3592c" + "0000000000000000" + "0000000000000000",
            "62c3592b" + "0000000000000000" + "0000000000000000", "2f4bd307" + "00000000000000eb" + "0000000000000000",
            "4a54836c" + "00000000000000eb" + "0000000000000000",
        ]
        #expect(hex(20_040, 20) == String(repeating: "0", count: 40), "entry 0 is never used")
        for (number, expected) in entries.enumerated() { #expect(hex(20_060 + 20 * number, 20) == expected) }
    }

    @Test func entryWithAPredecessor() throws {
        var file = file()
        for number in 1..<38 as Range<Int32> {
            let hash = number == 16 ? 158_426_723 : number
            let time = Timestamp(milliseconds: Self.begin)
            try file.add(hash: hash, logOffset: LogOffset(rawValue: Int64(number)), storedAt: time)
        }
        let later = Timestamp(milliseconds: Self.begin + 1999)
        try file.add(hash: 158_426_723, logOffset: LogOffset(rawValue: 5038), storedAt: later)
        try file.write()
        let bytes = try #require(try device.contents(of: "/index"))
        let entry = bytes.getSlice(at: geometry.entryPosition(38), length: 20)
        #expect(entry?.hexText == "0971666300000000000013ae0000000100000010")
        #expect(file.header.slotCount == 37)
    }

    @Test func reopenedFileContinues() throws {
        var whole = file()
        for number in 1...60 as ClosedRange<Int32> {
            try whole.add(
                hash: number % 7, logOffset: LogOffset(rawValue: Int64(number)), storedAt: Timestamp(milliseconds: 5000)
            )
        }
        try whole.write()
        let expected = try device.contents(of: "/index")
        var half = file()
        for number in 1...30 as ClosedRange<Int32> {
            try half.add(
                hash: number % 7, logOffset: LogOffset(rawValue: Int64(number)), storedAt: Timestamp(milliseconds: 5000)
            )
        }
        try half.write()
        var rest = try IndexFile(reopening: "/index", geometry: geometry, header: half.header, device: device)
        for number in 31...60 as ClosedRange<Int32> {
            try rest.add(
                hash: number % 7, logOffset: LogOffset(rawValue: Int64(number)), storedAt: Timestamp(milliseconds: 5000)
            )
        }
        var found: [(LogOffset, Timestamp)] = []
        rest.search(hash: 3, begin: .zero, end: Timestamp(milliseconds: .max), maximum: 99, into: &found)
        #expect(found.map(\.0.rawValue) == [59, 52, 45, 38, 31, 24, 17, 10, 3], "also through entries of the file")
        try rest.write()
        #expect(try device.contents(of: "/index") == expected)
    }

    @Test func damagedChainEnds() throws {
        var file = file()
        for number in 1...3 { try file.add(hash: 9, logOffset: LogOffset(rawValue: Int64(number)), storedAt: .zero) }
        try file.write()
        let raw = try device.open("/index", .readWrite)
        try raw.write(ByteBuffer(integer: Int32(3)), at: geometry.entryPosition(3) + 16)
        let again = try IndexFile(reopening: "/index", geometry: geometry, header: file.header, device: device)
        var found: [(LogOffset, Timestamp)] = []
        again.search(hash: 9, begin: .zero, end: Timestamp(milliseconds: 9), maximum: 99, into: &found)
        #expect(found.count == 1)
    }

    @Test func namesAreTimes() {
        #expect(IndexName.text(Timestamp(milliseconds: 1_795_225_565_571)) == "20261121014605571")
        #expect(IndexName.text(Timestamp(milliseconds: 951_782_400_000)) == "20000229000000000")
        #expect(IndexName.text(.zero) == "19700101000000000")
        #expect(IndexName.after("20261121014605571") == "20261121014605572")
    }

    // MARK: Through the store

    private func keys(
        _ store: MessageStore, _ key: String, _ begin: Int64 = 0, _ end: Int64 = .max, maximum: Int = 64
    ) -> Int {
        store.query(
            topic: "Topic", key: key, maximum: maximum, begin: Timestamp(milliseconds: begin),
            end: Timestamp(milliseconds: end)
        ).records.count
    }

    @Test func queriesByKeyTimeAndCount() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let start = fixture.clock.now().milliseconds
        for number in 0..<30 {
            try store.put(
                "Topic", 0, body: "m\(number)", properties: "KEYS\u{1}a b\(number)  c\u{2}UNIQ_KEY\u{1}U\(number)")
            fixture.clock.advance(by: .milliseconds(500))
        }
        store.dispatchPending()
        #expect(keys(store, "a") == 30)
        #expect(keys(store, "c") == 30)
        #expect(keys(store, "b7") == 1)
        #expect(keys(store, "U7") == 1)
        #expect(keys(store, "") == 0, "two spaces enclose no key")
        #expect(keys(store, "a", maximum: 5) == 5)
        #expect(keys(store, "a", maximum: 0) == 0)
        #expect(keys(store, "a", start, start + 999) == 2)
        // The message at 500 ms counts as second 0: one second is the resolution.
        #expect(keys(store, "a", start + 500, start + 999) == 0)
        #expect(keys(store, "a", start + 1000, start + 1999) == 2)
        let newest = store.query(topic: "Topic", key: "a", maximum: 2, begin: .zero, end: Timestamp(milliseconds: .max))
        #expect(newest.lastIndexed.milliseconds == start + 29 * 500)
        let offsets = newest.records.compactMap {
            try? RecordView.parse($0.readableBytesUInt8Span).queueOffset.rawValue
        }
        #expect(offsets == [28, 29], "the newest, in log order")
    }

    @Test func fullFilesAreSealedAndSearched() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<150 { try store.put("Topic", 0, properties: "KEYS\u{1}k\(number) all") }
        store.dispatchPending()
        #expect(keys(store, "k0") == 1)
        store.keepHouse()
        let files = try #require(try fixture.device.list("/store/index"))
        #expect(files.count == 4, "300 keys in files of 99")
        #expect(files.allSatisfy { $0.length == 40 + 4 * 500 + 20 * 100 })
        for number in 0..<150 { #expect(keys(store, "k\(number)") == 1) }
        #expect(keys(store, "all") == 64)
    }

    @Test func withoutKeysThereIsNoFile() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic")
        store.dispatchPending()
        try store.close()
        #expect(try fixture.device.list("/store/index") == nil)
    }

    /// Else it would count as the flushed one of that name after a crash.
    @Test func aFileThatIsBuiltAgainSortsBehindTheRecordedName() throws {
        let fixture = StoreFixture()
        var store: MessageStore? = try fixture.open()
        for number in 0..<150 { try store?.put("Topic", 0, properties: "KEYS\u{1}k\(number)") }
        store?.dispatchPending()
        try store?.flushNow()
        store?.keepHouse()
        let sealed = try #require(try store?.files.loadPosition()?.sealed)
        store = nil
        fixture.device.kill()
        try fixture.removeTree("/store/index")
        fixture.clock.set(to: fixture.clock.now().advanced(by: .seconds(-3600)))
        let again = try fixture.open()
        again.dispatchPending()
        again.keepHouse()
        let names = try #require(try fixture.device.list("/store/index")).map(\.name)
        #expect(!names.isEmpty && names.allSatisfy { $0 > sealed })
    }

    /// Else one of them would be taken for one of those that were built since.
    @Test(arguments: 0..<10)
    func filesThatAreBuiltAgainDoNotComeBack(seed: UInt64) throws {
        let fixture = StoreFixture(seed: seed)
        var store: MessageStore? = try fixture.open()
        for number in 0..<350 { try store?.put("Topic", 0, properties: "KEYS\u{1}k\(number)") }
        store?.dispatchPending()
        try store?.flushNow()
        store?.keepHouse()
        store = nil
        fixture.device.kill()
        let names = try #require(try fixture.device.list("/store/index")).map(\.name)
        #expect(names.count >= 3)
        try fixture.device.open("/store/index/\(names[0])", .readWrite).setLength(0)
        // New files have other names.
        fixture.clock.advance(by: .seconds(1))
        _ = try fixture.open()
        fixture.device.crash()
        let present = try fixture.device.list("/store/index") ?? []
        #expect(present.allSatisfy { !names.contains($0.name) })
    }
}
