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
        fixture.device.flipBit(
            "/store/commitlog/00000000000000000000", byte: Int(item.logOffset.rawValue) + byte, bit: 1)
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
}
