import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// Delayed messages beside a store that takes nothing.
@Suite struct DelayRefusalTests {
    private let support = TableSupport()

    private func open() throws -> Broker {
        var configuration = BrokerConfiguration()
        configuration.storage.directory = "store"
        return try Broker.open(
            configuration, advertisedHost: HostAddress(ip: .v4(0x7F00_0001), port: 1), device: support.device,
            time: .manual(support.clock), logger: support.logger)
    }

    private func putTimer(due: Timestamp, in broker: Broker) throws {
        var batch = broker.store.makeBatch()
        let properties = "REAL_TOPIC\u{1}T\u{2}REAL_QID\u{1}0\u{2}TIMER_OUT_MS\u{1}\(due.milliseconds)"
        let draft = MessageDraft(
            topic: SystemTopic.timerWheel, queueID: 0, bornTimestamp: support.clock.now(),
            bornHost: broker.advertisedHost, storeHost: broker.advertisedHost, body: ByteBuffer(string: "waits"),
            properties: ByteBuffer(string: properties))
        try batch.add(draft, to: broker.store.queue(SystemTopic.timerWheel, 0))
        try broker.store.append(&batch)
        broker.store.dispatchPending()
    }

    /// What was refused is due all the time: to look at that would be to try again without end.
    @Test func whatTheStoreRefusesIsTriedAgainAfterAPause() throws {
        let broker = try open()
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
