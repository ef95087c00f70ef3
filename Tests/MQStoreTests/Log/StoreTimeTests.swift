import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct StoreTimeTests {
    private func append(_ store: MessageStore) throws -> Timestamp {
        var batch = store.makeBatch()
        try batch.add(StoreFixture.draft("T", body: "m"), to: store.queue("T", 0))
        try store.append(&batch)
        return batch.storeTimestamp
    }

    @Test("Store times stay while the clock is set back a little, and follow it when it is set back far")
    func clockSetBack() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let start = fixture.clock.now()
        #expect(try append(store) == start)
        fixture.clock.set(to: start.advanced(by: .seconds(-9)))
        #expect(try append(store) == start)
        fixture.clock.set(to: start.advanced(by: .seconds(-86_400)))
        #expect(try append(store) == fixture.clock.now())
        try store.close()
    }

    @Test("A flipped bit in a stored time is not believed by the next start", arguments: [true, false])
    func flippedBit(isKilled: Bool) throws {
        let fixture = StoreFixture()
        do {
            let store = try fixture.open()
            for _ in 0..<3 { _ = try append(store) }
            store.dispatchPending()
            if isKilled { fixture.device.kill() } else { try store.close() }
        }
        let position = RecordLayout.storeTimestamp([])
        fixture.device.flipBit("/store/commitlog/00000000000000000000", byte: position + 1, bit: 3)
        let again = try fixture.open()
        #expect(try append(again) <= fixture.clock.now().advanced(by: CommitLog.maximumLead))
        #expect(again.log.flushedTimestamp <= fixture.clock.now().advanced(by: CommitLog.maximumLead))
        #expect(again.pull("T", from: 1).count >= 2)
        try again.close()
    }

    /// The checkpoint was written while the clock was ahead: by its time, the last file is flushed.
    @Test("Recovery begins at what is flushed for certain, whatever the checkpoint's time is")
    func checkpointAhead() throws {
        let fixture = StoreFixture(segmentBytes: 4096)
        let start = fixture.clock.now()
        do {
            let store = try fixture.open()
            fixture.clock.advance(by: .seconds(86_400))
            _ = try append(store)
            store.dispatchPending()
            try store.flushNow()
            try store.saveCheckpoint()
            try store.log.mark.sync()
            fixture.clock.set(to: start)
            while store.appendedOffset.rawValue < 3 * 4096 { _ = try append(store) }
            fixture.device.kill()
        }
        let log = try CommitLog.open(
            fixture.configuration, device: fixture.device, time: .manual(fixture.clock), logger: LogFixture.silent)
        let checkpoint = try #require(try Checkpoint.load(directory: "/store", device: fixture.device))
        #expect(checkpoint.minimum > start)
        let report = try log.recover(.abnormal(notAfter: checkpoint.minimum)) { _, _, _ in .accept }
        #expect(report.start == .zero)
    }
}
