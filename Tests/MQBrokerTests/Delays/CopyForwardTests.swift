import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// A broker on a simulated disk, without sockets.
@Suite("Making room for deletion")
struct CopyForwardTests {
    private let support = TableSupport()

    private func open() throws -> Broker {
        var configuration = BrokerConfiguration()
        configuration.storage.directory = "store"
        configuration.storage.segmentBytes = 1 << 20
        configuration.storage.queueSegmentBytes = 20_000
        configuration.storage.indexSlots = 100
        configuration.storage.indexEntries = 400
        return try Broker.open(
            configuration, advertisedHost: HostAddress(ip: .v4(0x7F00_0001), port: 1), device: support.device,
            time: .manual(support.clock), logger: support.logger
        )
    }

    private func put(_ topic: String, queueID: Int32 = 0, _ properties: String, in broker: Broker) throws {
        var batch = broker.store.makeBatch()
        let place = "REAL_TOPIC\u{1}T\u{2}REAL_QID\u{1}0\u{2}"
        let draft = MessageDraft(
            topic: topic, queueID: queueID, bornTimestamp: support.clock.now(), bornHost: broker.advertisedHost,
            storeHost: broker.advertisedHost, body: ByteBuffer(string: "waits"),
            properties: ByteBuffer(string: place + properties)
        )
        try batch.add(draft, to: broker.store.queue(topic, queueID))
        try broker.store.append(&batch)
    }

    @Test("Deletion may go as far as the copies went, and what was not copied still waits")
    func partly() throws {
        let broker = try open()
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
        #expect(broker.delays.levelProgress().map(\.delivered.rawValue) == [1])
        try broker.close()
    }
}
