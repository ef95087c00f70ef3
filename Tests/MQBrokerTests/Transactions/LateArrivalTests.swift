import MQProtocol
import MQStore
import NIOCore
import Synchronization
import Testing

@testable import MQBroker

@Suite("Halves that are stored and not known yet")
struct LateArrivalTests {
    private let support = TableSupport()

    private func put(_ key: String, _ broker: Broker) throws -> HalfMessage {
        let store = broker.store
        let properties: MessageProperties = [
            PropertyName.transactionPrepared: "true", PropertyName.producerGroup: "P", PropertyName.uniqueKey: key,
            "REAL_TOPIC": "T", "REAL_QID": "0",
        ]
        let host = broker.advertisedHost
        var batch = store.makeBatch()
        let draft = MessageDraft(
            topic: SystemTopic.half, queueID: 0, bornTimestamp: support.clock.now(), bornHost: host, storeHost: host,
            body: ByteBuffer(string: key), properties: properties.encode())
        try batch.add(draft, to: store.queue(SystemTopic.half, 0))
        try store.append(&batch)
        store.dispatchPending()
        let record = try #require(store.record(at: batch[0].logOffset).flatMap(StoredRecord.init))
        return HalfRecord.summary(record, at: batch[0].logOffset, queueOffset: batch[0].queueOffset)
    }

    @Test("Their segment stays until they are, in whatever order they come")
    func kept() throws {
        let broker = try support.broker()
        defer { try? broker.close() }
        let transactions = broker.transactions
        let halves = try ["K0", "K1", "K2"].map { try put($0, broker) }
        let end = broker.store.appendedOffset
        transactions.arrived(halves[1], opFloor: .zero)
        #expect(transactions.copyForward(below: end) == halves[0].logOffset)
        transactions.arrived(halves[0], opFloor: .zero)
        #expect(transactions.copyForward(below: end) == halves[2].logOffset)
        transactions.arrived(halves[2], opFloor: .zero)
        #expect(transactions.copyForward(below: end) == end)
        #expect(transactions.undecidedCount == 3)
    }

    @Test("A start reads them, whatever was readable before")
    func progress() throws {
        let broker = try support.broker()
        let transactions = broker.transactions
        let halves = try ["K0", "K1"].map { try put($0, broker) }
        transactions.arrived(halves[1], opFloor: .zero)
        try broker.store.flushNow()
        transactions.noteProgress(transactions.ends)
        #expect(transactions.noted.withLock { $0 }?.half == .zero)
        try broker.close()
    }
}
