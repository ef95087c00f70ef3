import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// Delayed messages beside a store that takes nothing.
@Suite struct DelayRefusalTests {
    private let support = TableSupport()

    private func putTimer(due: Timestamp, in broker: Broker) throws {
        try support.putWaiting(
            "waits", in: SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due.milliseconds)", broker: broker)
    }

    @Test func whatTheStoreRefusesIsTriedAgainAfterAPause() throws {
        let broker = try support.broker()
        try putTimer(due: support.clock.now(), in: broker)
        support.device.fail(.write, permanently: true)
        let refused = broker.delays.fireRound()
        #expect(refused.isRefused)
        #expect(refused.next > support.clock.now())
        #expect(broker.delays.wakeUp(after: refused) == refused.next)
        support.device.clearFaults()
        let round = broker.delays.fireRound()
        #expect(!round.isRefused)
        #expect(broker.delays.pendingTimers == 0)
        try broker.close()
    }
}
