import MQProtocol
import TestSupport
import Testing

@testable import MQStore

/// One bit of a record's queue offset is wrong, no checksum covers it, and a crash makes the store read the log again:
/// that message is lost, every other one keeps its place.
@Suite struct FalseLeapTests {
    private static let count = 100

    private func killed(_ fixture: StoreFixture, flushed: Int) throws -> [AppendBatch.Item] {
        let store = try fixture.open()
        var items: [AppendBatch.Item] = []
        for number in 0..<Self.count {
            items.append(try store.put("T", body: "\(number)"))
            try store.put("Other", body: "\(number)")
            if number == flushed - 1 { try store.flushNow() }
        }
        store.dispatchPending()
        fixture.device.kill()
        return items
    }

    private func flip(_ fixture: StoreFixture, _ item: AppendBatch.Item, bit: Int) {
        let offset = Int(item.logOffset.rawValue) + RecordLayout.queueOffset + 7 - bit / 8
        let segment = offset / fixture.configuration.segmentBytes * fixture.configuration.segmentBytes
        let digits = "\(segment)"
        let name = String(repeating: "0", count: 20 - digits.count) + digits
        fixture.device.flipBit("/store/commitlog/\(name)", byte: offset - segment, bit: bit % 8)
    }

    /// Upwards onto the place of another, far beyond all of them, and downwards.
    @Test(arguments: [(66, 3), (5, 6), (64, 4), (0, 2), (50, 40), (99, 1), (67, 0)])
    func everyOtherMessageKeepsItsPlace(damaged: Int, bit: Int) throws {
        let fixture = StoreFixture()
        let items = try killed(fixture, flushed: Self.count)
        flip(fixture, items[damaged], bit: bit)
        for start in 0..<3 {
            let store = try fixture.open()
            for number in 0..<Self.count where number != damaged {
                let bodies = store.pull("T", from: Int64(number), count: 1)
                #expect(bodies.first == "\(number)", "start \(start)")
            }
            let first = store.pull("T", from: Int64(damaged), count: 1).first
            #expect(first != "\(damaged)" || start == 0 && damaged == 0, "the record says that it is another's")
            let others = (0..<Self.count).map { store.pull("Other", from: Int64($0), count: 1).first }
            #expect(others == (0..<Self.count).map { "\($0)" })
            fixture.device.kill()
        }
        #expect(!fixture.complaints.all.isEmpty)
    }

    /// A start and `escrow store verify` agree: what the start made is found in order, but for the damage of the log.
    @Test(arguments: [(66, 3), (5, 6), (99, 1)])
    func verificationFindsTheQueuesInOrder(damaged: Int, bit: Int) throws {
        let fixture = StoreFixture()
        let items = try killed(fixture, flushed: Self.count)
        flip(fixture, items[damaged], bit: bit)
        try fixture.open().close()
        let report = try StoreVerifier(fixture.configuration, device: fixture.device).run()
        #expect(report.findings.contains { $0.kind == .queueOffset })
        #expect(!report.findings.contains { $0.kind == .queueEntry || $0.kind == .queueFile })
    }

    /// Several records are gone: those behind them do leap, and are there.
    @Test func aTrueLeapIsBelieved() throws {
        let fixture = StoreFixture()
        let items = try killed(fixture, flushed: Self.count)
        for number in [20, 21, 98] {
            let byte = Int(items[number].logOffset.rawValue) + RecordLayout.magicCode
            let segment = byte / fixture.configuration.segmentBytes * fixture.configuration.segmentBytes
            let digits = "\(segment)"
            let name = String(repeating: "0", count: 20 - digits.count) + digits
            fixture.device.flipBit("/store/commitlog/\(name)", byte: byte - segment, bit: 2)
        }
        try fixture.removeTree("/store/consumequeue")
        let store = try fixture.open()
        for number in 0..<Self.count where ![20, 21, 98].contains(number) {
            #expect(store.pull("T", from: Int64(number), count: 1).first == "\(number)")
        }
    }

    /// What was not flushed may end the log, but not come back as another message.
    @Test func anUnflushedOneIsNotServedAsAnother() throws {
        let seed = TestSeed.current
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let fixture = StoreFixture(seed: seed)
            let flushed = Int.random(in: 1..<Self.count, using: &generator)
            let damaged = Int.random(in: 0..<Self.count, using: &generator)
            let bit = Int.random(in: 0..<62, using: &generator)
            let items = try killed(fixture, flushed: flushed)
            flip(fixture, items[damaged], bit: bit)
            let store = try fixture.open()
            for number in 0..<Self.count where number != damaged {
                let body = store.pull("T", from: Int64(number), count: 1).first
                let note: Comment = "seed \(seed): \(damaged), bit \(bit), \(flushed) flushed, at \(number)"
                #expect(body == nil || body == "\(number)" || (body.flatMap(Int.init) ?? 0) > number, note)
                if number < min(flushed, damaged) { #expect(body == "\(number)", note) }
            }
        }
    }
}
