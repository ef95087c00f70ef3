import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

/// Verification, repair and a start go by the same knowledge of what was flushed: they must draw the same conclusions.
@Suite struct VerifyAndStartTests {
    private static let records = 45
    private static let recorded = 20
    private static let flushed = 40

    /// Killed with 45 records: 20 below the recorded position, 40 below the flush mark, five that nobody flushed.
    private func killed(seed: UInt64, losesPower: Bool) throws -> (fixture: StoreFixture, items: [AppendBatch.Item]) {
        let fixture = StoreFixture(seed: seed)
        let store = try fixture.open()
        var items: [AppendBatch.Item] = []
        for number in 0..<Self.records {
            items.append(try store.put("Topic", Int32(number % 3), body: "body \(number)", properties: "TAGS\u{1}t"))
            if number == Self.recorded - 1 {
                store.dispatchPending()
                try store.saveCheckpoint()
            }
            if number == Self.flushed - 1 {
                try store.flushNow()
                store.keepHouse()
            }
        }
        if losesPower { fixture.device.crash() } else { fixture.device.kill() }
        return (fixture, items)
    }

    private struct Outcome: Equatable {
        var end: LogOffset
        var queueEnds: [Int64]
        var bodies: [[String]]
    }

    private func started(_ fixture: StoreFixture) throws -> Outcome {
        let store = try fixture.open()
        var outcome = Outcome(end: store.appendedOffset, queueEnds: [], bodies: [])
        for queueID in 0..<Int32(3) {
            let end = store.maximumOffset(of: store.queue("Topic", queueID)).rawValue
            outcome.queueEnds.append(end)
            outcome.bodies.append(
                (0..<end).flatMap { store.pull("Topic", queueID, from: $0, count: 1).prefix(1) })
        }
        try store.close()
        return outcome
    }

    private func damage(_ fixture: StoreFixture, _ item: AppendBatch.Item, byte: Int) {
        let bytes = Int64(fixture.configuration.segmentBytes)
        let segment = LogOffset(rawValue: item.logOffset.rawValue / bytes * bytes)
        fixture.device.flipBit(
            "/store/commitlog/\(SegmentName.text(segment))", byte: Int(item.logOffset - segment) + byte, bit: 1)
    }

    /// - Parameter byte: of the record's magic code, of its CRC, of its body.
    @Test(arguments: [4, 9, 88], [false, true])
    func aDamagedRecordEndsTheLogForBothOrForNone(byte: Int, losesPower: Bool) throws {
        let seed = TestSeed.current
        for number in stride(from: 0, to: Self.records, by: 3) {
            let note: Comment = "seed \(seed), record \(number)"
            let (alone, items) = try killed(seed: seed, losesPower: losesPower)
            damage(alone, items[number], byte: byte)
            let report = try StoreVerifier(alone.configuration, device: alone.device).run()
            let start = try started(alone)
            #expect(report.logEnd == start.end, note)
            if number < Self.flushed {
                #expect(report.damage.contains { $0.kind == .damagedRecord }, note)
                #expect(start.bodies.joined().count >= Self.flushed - 1, note)
            }

            let (repaired, _) = try killed(seed: seed, losesPower: losesPower)
            damage(repaired, items[number], byte: byte)
            let again = try StoreVerifier(repaired.configuration, device: repaired.device).run()
            #expect(again.findings == report.findings, note)
            repaired.clock.advance(by: .seconds(1))
            try StoreRepair(
                repaired.configuration, device: repaired.device, time: .manual(repaired.clock),
                logger: LogFixture.silent
            ).run(again)
            #expect(try started(repaired) == start, note)
        }
    }

    // MARK: Without our record

    /// Long enough for the log to have three files.
    private static func body(_ number: Int) -> String { "body \(number) " + String(repeating: "x", count: 800) }

    private static func bodies(without missing: Range<Int>) -> Set<String> {
        Set((0..<records).filter { !missing.contains($0) }.map(body))
    }

    private func put(_ numbers: Range<Int>, into store: MessageStore) throws -> [AppendBatch.Item] {
        try numbers.map { try store.put("Topic", Int32($0 % 3), body: Self.body($0)) }
    }

    private func closedByAnother() throws -> (fixture: StoreFixture, items: [AppendBatch.Item]) {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let items = try put(0..<Self.records, into: store)
        try store.close()
        try #require(store.appendedOffset.rawValue / 16_384 == 2, "a start after a clean stop reads three files")
        try fixture.removeTree("/store/escrow")
        return (fixture, items)
    }

    /// Killed, one message each second, with a checkpoint that vouches for those before a number, and queues that know
    /// those before another.
    private func killedByAnother(
        flushed: Int, dispatched: Int = Self.records
    ) throws -> (fixture: StoreFixture, items: [AppendBatch.Item]) {
        let fixture = StoreFixture()
        let store = try fixture.open()
        var items: [AppendBatch.Item] = []
        var time = Timestamp.zero
        for number in 0..<Self.records {
            fixture.clock.advance(by: .seconds(1))
            if number == flushed { time = fixture.clock.now() }
            if number == dispatched { store.dispatchPending() }
            items += try put(number..<number + 1, into: store)
        }
        if dispatched == Self.records { store.dispatchPending() }
        try fixture.kill(store)
        try fixture.removeTree("/store/escrow")
        // The older of the two times says where a start begins to read.
        try Checkpoint(log: time, queues: .zero).save(directory: "/store", device: fixture.device)
        return (fixture, items)
    }

    /// Verifies and starts, twice, and expects the same messages of all.
    private func expectAgreement(_ fixture: StoreFixture, without missing: Range<Int>, _ note: Comment) throws {
        let report = try StoreVerifier(fixture.configuration, device: fixture.device).run()
        for _ in 0..<2 {
            let start = try started(fixture)
            #expect(start.end == report.logEnd, note)
            #expect(Set(start.bodies.joined()) == Self.bodies(without: missing), note)
        }
    }

    /// In each of the files, and the last ones but one.
    @Test(arguments: [4, 9, 88], [0, 1, 17, 30, 43])
    func `What a closed log holds behind a damaged record stays without our record too`(
        byte: Int, number: Int
    ) throws {
        let (fixture, items) = try closedByAnother()
        damage(fixture, items[number], byte: byte)
        try expectAgreement(fixture, without: number..<number + 1, "byte \(byte)")
    }

    @Test(arguments: [4, 9, 88])
    func `A closed log ends in front of a damaged record that nothing whole follows`(byte: Int) throws {
        let (fixture, items) = try closedByAnother()
        let last = Self.records - 1
        damage(fixture, items[last], byte: byte)
        try expectAgreement(fixture, without: last..<Self.records, "byte \(byte)")
        let again = try fixture.open()
        #expect(again.appendedOffset == items[last].logOffset)
        #expect(try again.put("Topic", Int32(last % 3), body: "new").queueOffset.rawValue == Int64(last / 3))
    }

    @Test func `A closed log without damage is opened as it is`() throws {
        let (fixture, _) = try closedByAnother()
        let log = try fixture.tree("/store/commitlog")
        try expectAgreement(fixture, without: 0..<0, "")
        #expect(try fixture.tree("/store/commitlog") == log)
        #expect(fixture.complaints.all == [])
    }

    @Test(arguments: [4, 9, 88], [1, 30])
    func `What another broker added to our closed log stays behind damage`(byte: Int, number: Int) throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        var items = try put(0..<20, into: store)
        try store.close()
        try fixture.asStockBroker { items += try put(20..<Self.records, into: $0) }
        damage(fixture, items[number], byte: byte)
        try expectAgreement(fixture, without: number..<number + 1, "byte \(byte)")
    }

    /// Behind the checkpoint's time and what the queues know, nobody knows what was flushed.
    @Test(arguments: [4, 9, 88], [3, 34, 40])
    func `Of a log that a killed broker left, what its checkpoint or a queue vouches for stays behind damage`(
        byte: Int, number: Int
    ) throws {
        let dispatched = 38
        let (fixture, items) = try killedByAnother(flushed: 33, dispatched: dispatched)
        damage(fixture, items[number], byte: byte)
        let missing = number..<(number < dispatched ? number + 1 : Self.records)
        try expectAgreement(fixture, without: missing, "byte \(byte)")
    }

    @Test func `A damaged last record of a file hides nothing that the checkpoint vouches for`() throws {
        let (fixture, items) = try killedByAnother(flushed: 40)
        let number = try #require(items.lastIndex { $0.logOffset.rawValue < 16_384 })
        damage(fixture, items[number], byte: 4)
        let start = try started(fixture)
        #expect(Set(start.bodies.joined()) == Self.bodies(without: number..<number + 1))
    }
}
