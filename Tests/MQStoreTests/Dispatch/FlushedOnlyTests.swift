import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct FlushedOnlyTests {
    @Test("With synchronous flush a message is readable when it is flushed, not before", arguments: [true, false])
    func readable(isSynchronous: Bool) throws {
        var fixture = StoreFixture()
        if !isSynchronous { fixture.configuration.flush = .asynchronous(interval: .seconds(1)) }
        let store = try fixture.open()
        func end() -> Int64 {
            store.dispatcher.run(includingIndex: true)
            return store.maximumOffset(of: store.queue("T", 0)).rawValue
        }
        try store.put("T", body: "one")
        #expect(end() == (isSynchronous ? 0 : 1))
        try store.flushNow()
        try store.put("T", body: "two")
        #expect(end() == (isSynchronous ? 1 : 2))
        #expect(store.indexedOffset == (isSynchronous ? store.flushedOffset : store.appendedOffset))
        fixture.device.fail(.flush, permanently: true)
        store.dispatchPending()
        #expect(end() == (isSynchronous ? 1 : 2))
        fixture.device.clearFaults()
        try store.flushNow()
        #expect(end() == 2)
        #expect(store.pull("T", from: 0) == ["one", "two"])
        try store.close()
    }

    @Test("Messages that nobody waits for are flushed and readable without being asked for", .timeLimit(.minutes(1)))
    func unasked() async throws {
        let (arrived, continuation) = AsyncStream.makeStream(of: Arrival.self)
        let fixture = StoreFixture()
        let store = try MessageStore.open(
            fixture.configuration, device: fixture.device, time: .manual(fixture.clock), logger: LogFixture.silent,
            observer: StoreObserver(dispatched: { for arrival in $0 { continuation.yield(arrival) } })
        )
        try store.start()
        var arrivals = arrived.makeAsyncIterator()
        for number in 0..<20 {
            let item = try store.put("T")
            let arrival = await arrivals.next()
            #expect(arrival?.queueOffset == QueueOffset(rawValue: Int64(number)))
            #expect(store.flushedOffset >= item.logOffset + Int(item.size))
        }
        try store.close()
    }
}
