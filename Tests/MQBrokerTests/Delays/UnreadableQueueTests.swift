import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// Queues of waiting messages whose files cannot be read for a while: nobody may take that for an empty queue.
@Suite("Waiting messages whose queues cannot be read")
struct UnreadableQueueTests {
    private let support = TableSupport()

    /// A broker with waiting messages that are in files only, none of which can be read any more.
    private func unreadable(_ topic: String, _ properties: String) throws -> Broker {
        let first = try support.broker()
        for number in 0..<2 { try support.putWaiting("\(number)", in: topic, properties, broker: first) }
        try first.close()
        let broker = try support.broker()
        support.device.fail(.read, permanently: true)
        return broker
    }

    @Test("A level waits, says so, keeps its place, and delivers once it can be read")
    func levels() throws {
        let broker = try unreadable(SystemTopic.schedule, "DELAY\u{1}1")
        let store = broker.store
        support.clock.advance(by: .seconds(2))
        let round = broker.delays.fireRound()
        #expect(round.isRefused && round.next > support.clock.now())
        #expect(broker.delays.levelOffsets() == [:])
        #expect(broker.willDelete(upTo: store.appendedOffset) == store.minimumLogOffset)
        support.device.clearFaults()
        #expect(!broker.delays.fireRound().isRefused)
        #expect(broker.delays.levelOffsets() == [1: 2])
        store.dispatchPending()
        #expect(store.maximumOffset(of: store.queue("T", 0)).rawValue == 2)
        try broker.close()
    }

    @Test("Arbitrary delays are not taken up in part: the start says why it fails")
    func timers() throws {
        let due = support.clock.now().advanced(by: .seconds(60)).milliseconds
        let broker = try unreadable(SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due)")
        let error = #expect(throws: StoreError.self) { try broker.delays.load() }
        #expect(error?.message.contains(SystemTopic.timerWheel) == true)
        support.device.clearFaults()
        try broker.close()
    }

    @Test("Half messages are not taken up in part: the start says why it fails")
    func halves() throws {
        let broker = try unreadable(SystemTopic.half, "")
        let service = broker.transactions
        let queue = broker.store.queue(SystemTopic.half, 0)
        let error = #expect(throws: StoreError.self) {
            try service.forEachRecord(of: queue, from: .zero) { _, _, _ in Issue.record("nothing can be read") }
        }
        #expect(error?.message.contains(SystemTopic.half) == true)
        support.device.clearFaults()
        var count = 0
        try service.forEachRecord(of: queue, from: .zero) { _, _, _ in count += 1 }
        #expect(count == 2)
        try broker.close()
    }
}
