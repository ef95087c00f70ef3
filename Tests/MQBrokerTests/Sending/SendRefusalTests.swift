import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

/// What would be acknowledged and then not be delivered as it was meant is refused.
@Suite("Sends that are refused")
struct SendRefusalTests {
    private func send(
        _ client: FakeClient, to topic: String = "T", _ properties: MessageProperties, sysFlag: Int = 0,
        reconsumed: Int = 0, batch: ByteBuffer? = nil
    ) async throws -> Frame {
        try await client.request(
            batch == nil ? .sendMessageV2 : .sendBatchMessage,
            [
                ("a", "P"), ("b", topic), ("c", "TBW102"), ("d", "1"), ("e", "0"), ("f", "\(sysFlag)"), ("g", "1"),
                ("h", "0"), ("i", String(buffer: properties.encode())), ("j", "\(reconsumed)"), ("k", "false"),
                ("m", batch == nil ? "false" : "true"),
            ], body: batch ?? ByteBuffer(string: "body"))
    }

    @Test("A part of a transaction that is no half message", arguments: [0x4, 0xC])
    func transactionTypes(sysFlag: Int) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            #expect(try await send(client, [:], sysFlag: sysFlag).responseCode == .messageIllegal)
            let half = try await send(client, ["TRAN_MSG": "True", "PGROUP": "P", "UNIQ_KEY": "K"], sysFlag: sysFlag)
            #expect(half.responseCode == .success)
            #expect(broker.service.broker.transactions.undecidedCount == 1)
            // As a consumer older than 4.6.1 sends a transaction's message back through its producer.
            let retried: MessageProperties = ["TRAN_MSG": "true", "DELAY": "1", "UNIQ_KEY": "K2"]
            let retry = try await send(client, to: "%RETRY%G", retried, sysFlag: sysFlag, reconsumed: 1)
            #expect(retry.responseCode == .success)
            broker.service.broker.store.dispatchPending()
            let store = broker.service.broker.store
            #expect(store.maximumOffset(of: store.queue(SystemTopic.schedule, 0)).rawValue == 1)
            #expect(broker.service.broker.transactions.undecidedCount == 1)
            await client.close()
        }
    }

    @Test(
        "A half message with a delay that cannot be met",
        arguments: [
            ("TIMER_DELIVER_MS", "1795226077556000"), ("TIMER_DELAY_SEC", "soon"), ("TIMER_DEL_UNIQKEY", "K"),
        ])
    func delayedHalves(name: String, value: String) async throws {
        try await LiveBroker.with { (broker) async throws in
            let client = FakeClient("p", of: broker)
            var properties: MessageProperties = ["TRAN_MSG": "true", "PGROUP": "P", "UNIQ_KEY": "K"]
            properties[name] = value
            #expect(try await send(client, properties, sysFlag: 4).responseCode == .messageIllegal)
            #expect(broker.service.broker.transactions.undecidedCount == 0)
            await client.close()
        }
    }

    @Test("A half message that leaves no room for the broker's own properties")
    func longHalves() async throws {
        try await LiveBroker.with { (broker) async throws in
            let client = FakeClient("p", of: broker)
            var properties: MessageProperties = ["TRAN_MSG": "true", "PGROUP": "P", "UNIQ_KEY": "K"]
            properties["x"] = String(repeating: "x", count: 32_500)
            #expect(try await send(client, properties, sysFlag: 4).responseCode == .messageIllegal)
            properties["x"] = String(repeating: "x", count: 32_000)
            properties["DELAY"] = "4"
            #expect(try await send(client, properties, sysFlag: 4).responseCode == .success)
            let half = try #require(broker.service.broker.transactions.undecided.first?.half)
            let sent = SentHalf(
                group: "P", key: "K", queueOffset: half.queueOffset.rawValue, logOffset: half.logOffset.rawValue)
            #expect(try await client.end(sent, .commit) == (.success, .accepted))
            await client.close()
        }
    }

    @Test("A stored half without such room is copied forward and asked about all the same")
    func longStoredHalf() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            _ = try await client.heartbeat(producers: ["P"])
            let (store, host) = (broker.service.broker.store, broker.service.broker.advertisedHost)
            var properties: MessageProperties = [
                "TRAN_MSG": "true", "PGROUP": "P", "UNIQ_KEY": "K", "REAL_TOPIC": "T", "REAL_QID": "0",
            ]
            properties["x"] = String(repeating: "x", count: 32_760 - properties.encode().readableBytes - 3)
            let draft = MessageDraft(
                topic: SystemTopic.half, queueID: 0, bornTimestamp: Timestamp(milliseconds: 1), bornHost: host,
                storeHost: host, body: ByteBuffer(string: "half"), properties: properties.encode())
            var batch = store.makeBatch()
            try batch.add(draft, to: store.queue(SystemTopic.half, 0))
            try store.append(&batch)
            // As a start would find one that another broker stored.
            let (offset, queueOffset) = (batch[0].logOffset, batch[0].queueOffset)
            let record = try #require(store.record(at: offset).flatMap(StoredRecord.init))
            let transactions = broker.service.broker.transactions
            transactions.arrived(HalfRecord.summary(record, at: offset, queueOffset: queueOffset), opFloor: .zero)
            let end = store.appendedOffset
            #expect(transactions.copyForward(below: end) == end)
            #expect(transactions.undecidedCount == 1)
            store.dispatchPending()
            transactions.checkDue(clients: broker.service.broker.clients)
            await client.waitFor(.checkTransactionState)
            await client.close()
        }
    }

    @Test("A small batch that would become a very large one")
    func expandingBatch() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            var batch = ByteBuffer()
            for _ in 0..<2000 {
                try BatchItem(body: ByteBuffer(string: "b"), properties: ByteBuffer()).write(to: &batch)
            }
            let long: MessageProperties = ["x": String(repeating: "x", count: 20_000)]
            #expect(try await send(client, long, batch: batch).responseCode == .messageIllegal)
            #expect(try await send(client, ["x": "y"], batch: batch).responseCode == .success)
            await client.close()
        }
    }

    @Test("Clients read the region and whether to trace from a refusal too")
    func refusalFields() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            let answer = try await send(client, to: SystemTopic.half, [:])
            #expect(answer.responseCode == .noPermission)
            #expect(answer.fields.string("MSG_REGION") == "DefaultRegion")
            #expect(answer.fields.string("TRACE_ON") == "true")
            await client.close()
        }
    }

    @Test("A send to a topic whose deletion is not over may be tried again")
    func topicBeingDeleted() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            #expect(try await send(client, [:]).responseCode == .success)
            broker.service.broker.topics.beginDeletion(of: "T")
            broker.service.broker.topics.delete("T")
            #expect(try await send(client, [:]).responseCode == .serviceNotAvailable)
            broker.service.broker.topics.endDeletion(of: "T")
            #expect(try await send(client, [:]).responseCode == .success)
            let deleted = try await client.request(.deleteTopicInBroker, [("topic", "T")])
            #expect(deleted.responseCode == .success)
            let first = try await send(client, [:])
            #expect(first.fields.int64("queueOffset") == 0)
            broker.service.broker.store.dispatchPending()
            #expect(try await client.pull("T").1.count == 1)
            await client.close()
        }
    }
}
