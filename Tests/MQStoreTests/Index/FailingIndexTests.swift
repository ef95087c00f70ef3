import MQProtocol
import Synchronization
import Testing

@testable import MQStore

/// The key index on a disk that is full or fails.
@Suite struct FailingIndexTests {
    private func entries(_ store: MessageStore) -> Int {
        store.index?.state.withLock { state in
            (state.sealed.map(\.header) + state.open.map(\.header)).reduce(0) { $0 + Int($1.count) - 1 }
        } ?? 0
    }

    private func put(_ store: MessageStore, _ numbers: Range<Int>) throws {
        for number in numbers { try store.put("Topic", properties: "KEYS\u{1}k\(number) all") }
    }

    private func finds(_ store: MessageStore, _ number: Int) -> Bool {
        store.query(
            topic: "Topic", key: "k\(number)", maximum: 9, begin: .zero, end: Timestamp(milliseconds: .max)
        ).records.count == 1
    }

    /// More keys than are written at once.
    @Test(arguments: [100, 10_000])
    func `Keys of a while with a full disk are written when there is space again`(perFile: Int) throws {
        var fixture = StoreFixture(segmentBytes: 1 << 20)
        fixture.configuration.indexEntries = perFile
        let store = try fixture.open()
        try put(store, 0..<3000)
        try store.flushNow()
        let space = try fixture.device.space(at: "/store")
        fixture.device.setCapacity(space.total - space.available)
        store.dispatchPending()
        store.keepHouse()
        #expect(store.refusal != nil)
        #expect(store.indexedOffset == store.appendedOffset)
        #expect(finds(store, 7) && finds(store, 2999), "in memory")
        fixture.device.setCapacity(nil)
        store.keepHouse()
        #expect(store.refusal == nil)
        try put(store, 3000..<3010)
        store.dispatchPending()
        for number in stride(from: 0, to: 3010, by: 101) { #expect(finds(store, number)) }
        try store.close()
        let report = try StoreVerifier(fixture.configuration, device: fixture.device).run()
        #expect(report.findings == [] && report.indexEntries == 6020)
    }

    @Test func `After a failed flush the next start indexes nothing twice`() throws {
        let fixture = StoreFixture(segmentBytes: 1 << 16)
        let store = try fixture.open()
        try put(store, 0..<60)
        store.dispatchPending()
        store.keepHouse()
        #expect(store.index?.state.withLock { $0.sealed.count } == 1)
        try put(store, 60..<150)
        store.dispatchPending()
        try store.flushNow()
        try store.log.mark.sync()
        fixture.device.fail(.flush)
        store.keepHouse()
        #expect(store.indexedOffset == nil, "the index failed")
        try store.close()
        for _ in 0..<2 {
            let again = try fixture.open()
            again.dispatchPending()
            #expect(entries(again) == 300)
            for number in 0..<150 { #expect(finds(again, number)) }
            try again.close()
        }
    }
}
