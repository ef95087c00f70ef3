import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// A broker on a simulated disk, without sockets.
@Suite("Making room for deletion")
struct CopyForwardTests {
    private let support = TableSupport()

    private func put(_ topic: String, queueID: Int32 = 0, _ properties: String, in broker: Broker) throws {
        try support.putWaiting("waits", in: topic, queueID: queueID, properties, broker: broker)
    }

    @Test(
        "A crash between the copies and the deletion of their originals brings no message twice",
        arguments: [false, true])
    func crash(waitingNote: Bool) throws {
        let broker = try support.broker { configuration in
            configuration.storage.synchronousFlush = false
            configuration.storage.flushInterval = .seconds(3600)
        }
        if waitingNote {
            try put(SystemTopic.schedule, "DELAY\u{1}1", in: broker)
            support.clock.advance(by: .seconds(2))
            broker.delays.fireRound()
            #expect(broker.delays.persistIfDurable(), "it waits for the flush")
        }
        let due = support.clock.now().advanced(by: .seconds(60)).milliseconds
        for _ in 0..<3 { try put(SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due)", in: broker) }
        for _ in 0..<2 { try put(SystemTopic.schedule, queueID: 4, "DELAY\u{1}5", in: broker) }
        let end = broker.store.appendedOffset
        #expect(broker.willDelete(upTo: end) == end)
        support.crash(broker)
        let next = try support.broker()
        support.clock.advance(by: .seconds(120))
        next.delays.fireRound()
        next.store.dispatchPending()
        #expect(next.store.maximumOffset(of: next.store.queue("T", 0)).rawValue == (waitingNote ? 6 : 5))
        try next.close()
    }

    @Test("Deletion may go as far as the copies went, and what was not copied still waits")
    func partly() throws {
        let broker = try support.broker()
        let store = broker.store
        try put("T", "", in: broker)
        let firstWaiting = store.appendedOffset
        let due = support.clock.now().advanced(by: .seconds(60)).milliseconds
        for _ in 0..<3 { try put(SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due)", in: broker) }
        try put(SystemTopic.schedule, queueID: 4, "DELAY\u{1}5", in: broker)
        store.dispatchPending()
        let end = store.appendedOffset
        support.device.fail(.write, permanently: true)
        #expect(broker.willDelete(upTo: end) == firstWaiting)
        #expect(broker.delays.pendingTimers == 3)
        support.device.clearFaults()
        #expect(broker.willDelete(upTo: end) == end)
        store.dispatchPending()
        #expect(broker.delays.pendingTimers == 4)
        #expect(broker.delays.levelOffsets() == [5: 1])
        try broker.close()
    }
}
