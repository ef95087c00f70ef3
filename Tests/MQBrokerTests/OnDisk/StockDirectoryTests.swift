import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Store directories of stock brokers and ours", .timeLimit(.minutes(2)))
struct StockDirectoryTests {
    private static func stockSizes(_ configuration: inout BrokerConfiguration) {
        configuration.storage.segmentBytes = StockStore.segmentBytes
        configuration.storage.queueSegmentBytes = StockStore.queueBytes
        configuration.storage.indexSlots = StockStore.slots
        configuration.storage.indexEntries = 20_000_000
    }

    private func pull(
        _ client: FakeClient, _ topic: String, _ queueID: Int, hold: Int = 0
    ) async throws -> [StoredMessage] {
        let answer = try await client.request(
            .pullMessage,
            [
                ("consumerGroup", "CG"), ("topic", topic), ("queueId", "\(queueID)"), ("queueOffset", "0"),
                ("maxMsgNums", "32"), ("sysFlag", hold > 0 ? "6" : "4"), ("commitOffset", "0"),
                ("suspendTimeoutMillis", "\(hold)"), ("subscription", "*"), ("subVersion", "0"),
                ("expressionType", "TAG"),
            ])
        return answer.responseCode == .success ? try StoredMessage.list(from: answer.body) : []
    }

    private func bodies(_ client: FakeClient, _ topic: String, _ queueID: Int) async throws -> [String] {
        try await pull(client, topic, queueID).map { String(buffer: $0.body) }
    }

    private func number(_ client: FakeClient, _ code: RequestCode, _ fields: [(String, String)]) async throws -> Int64?
    {
        try await client.request(code, fields).fields.int64("offset")
    }

    @Test("Our broker goes on where a stock one stopped, or was killed", arguments: [false, true])
    func stockDirectory(isKilled: Bool) async throws {
        try await LiveBroker.withDirectory { directory in
            let stock = try StockStore(in: directory, isKilled: isKilled)
            let report = try StoreVerifier(
                StoreConfiguration(directory: directory.path), device: FileDevice(),
                sideFiles: BrokerStoreCheck.sideFiles
            ).run(isKnownTopic: BrokerStoreCheck.isKnownTopic)
            #expect(report.damage == [])
            #expect(report.records == stock.records.count)
            #expect(report.indexEntries == (isKilled ? 0 : 19))
            try await LiveBroker.with(Self.stockSizes, in: directory) { broker in
                let client = FakeClient("c", of: broker)
                try await checkMessages(client, stock)
                try await checkTransactions(client, broker, stock)
                await client.close()
            }
            // What was added since is where a stock broker would have put it.
            try await LiveBroker.with(Self.stockSizes, in: directory) { broker in
                let client = FakeClient("c", of: broker)
                let plain = try await bodies(client, "TopicTest", 3)
                #expect(plain == ["plain 0", "plain 1", "plain 2"])
                let committed = try await bodies(client, "TopicTx", 1)
                #expect(committed == ["committed", "undecided"])
                await client.close()
            }
        }
    }

    private func checkMessages(_ client: FakeClient, _ stock: StockStore) async throws {
        let messages = try await pull(client, "TopicTest", 3)
        #expect(messages.map { String(buffer: $0.body) } == ["plain 0", "plain 1", "plain 2"])
        #expect(
            messages.map(\.record.physicalOffset.rawValue) == [
                0, stock.records[1].physicalOffset, stock.records[9].physicalOffset,
            ])
        #expect(
            try await number(
                client, .queryConsumerOffset, [("consumerGroup", "CG"), ("topic", "TopicTest"), ("queueId", "3")]) == 2)
        #expect(try await number(client, .getMaxOffset, [("topic", "TopicTest"), ("queueId", "3")]) == 3)
        #expect(try await number(client, .getMinOffset, [("topic", "TopicTest"), ("queueId", "3")]) == 0)
        for (key, bodies) in [
            ("KEY1", ["plain 1"]), ("shared", ["plain 0", "plain 1", "plain 2"]), ("U-plain-2", ["plain 2"]),
        ] {
            let found = try await client.request(
                .queryMessage,
                [
                    ("topic", "TopicTest"), ("key", key), ("maxNum", "32"), ("beginTimestamp", "0"),
                    ("endTimestamp", "\(Int64.max)"),
                ])
            let messages = try StoredMessage.list(from: found.body)
            #expect(messages.map { String(buffer: $0.body) } == bodies, "\(key)")
        }
        // Due long ago: it comes at once.
        var delayed: [StoredMessage] = []
        while delayed.isEmpty { delayed = try await pull(client, "TopicTest", 1, hold: 10_000) }
        #expect(delayed.map { String(buffer: $0.body) } == ["delayed"])
    }

    private func checkTransactions(_ client: FakeClient, _ broker: LiveBroker, _ stock: StockStore) async throws {
        let parts = broker.service.broker
        #expect(parts.transactions.undecided.map(\.half.uniqueKey) == ["U-undecided"])
        #expect(parts.groups.find("CG")?.retryMaxTimes == 5)
        func half(_ index: Int) -> SentHalf {
            let record = stock.records[index]
            return SentHalf(
                group: "PG_tx", key: "U-\(record.body)", queueOffset: record.queueOffset,
                logOffset: record.physicalOffset)
        }
        let undecided = half(4)
        #expect(try await client.end(undecided, .commit) == (.success, .accepted))
        parts.store.dispatchPending()
        let committed = try await bodies(client, "TopicTx", 1)
        #expect(committed == ["committed", "undecided"])
        #expect(parts.transactions.undecidedCount == 0)
    }

    @Test("What our broker writes is what a stock one reads")
    func ourDirectory() async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                for number in 0..<2000 {
                    let properties: MessageProperties = [
                        PropertyName.keys: "K\(number) shared", PropertyName.uniqueKey: "U\(number)",
                        PropertyName.tags: "T\(number % 3)",
                    ]
                    try await client.send(
                        String(repeating: "body \(number) ", count: 1 + number % 120), to: "T\(number % 2)",
                        properties: number < 120 ? properties : [:])
                }
                try await client.send("later", to: "T0", properties: [PropertyName.delayLevel: "3"])
                let halves = [
                    try await client.sendHalf("one", to: "T0", key: "H1"),
                    try await client.sendHalf("two", to: "T0", key: "H2"),
                    try await client.sendHalf("three", to: "T0", key: "H3"),
                ]
                let verdicts = [
                    try await client.end(halves[0], .commit), try await client.end(halves[1], .rollback),
                ]
                #expect(verdicts.map(\.1) == [.accepted, .accepted])
                broker.service.broker.store.dispatchPending()
                _ = try await client.heartbeat(consumers: ["G": ["T0"]])
                _ = try await client.request(
                    .updateConsumerOffset,
                    [("consumerGroup", "G"), ("topic", "T0"), ("queueId", "0"), ("commitOffset", "77")])
                await client.close()
            }
            let reader = try StockReader(
                directory, segmentBytes: 1 << 20, queueBytes: 20_000, slots: 100, indexEntries: 400)
            #expect(reader.objections == [])
            try check(reader)
        }
    }

    private func check(_ reader: StockReader) throws {
        #expect(reader.records.count == 2007)
        let halves = reader.records.filter { $0.topic == "RMQ_SYS_TRANS_HALF_TOPIC" }
        #expect(halves.map(\.queueOffset) == [0, 1, 2])
        #expect(halves.allSatisfy { $0.sysFlag & 0xC == 0 && $0.properties.contains(["REAL_TOPIC", "T0"]) })
        let ops = reader.records.filter { $0.topic == "RMQ_SYS_TRANS_OP_HALF_TOPIC" }
        #expect(ops.map(\.body) == ["0", "1"])
        #expect(ops.allSatisfy { $0.properties.contains(["TAGS", "d"]) })
        let committed = try #require(reader.records.first { $0.sysFlag & 0xC == 8 })
        #expect(committed.topic == "T0")
        #expect(committed.preparedOffset == halves[0].physicalOffset)
        #expect(committed.body == "one")
        let delayed = try #require(reader.records.first { $0.topic == "SCHEDULE_TOPIC_XXXX" })
        #expect(delayed.queueID == 2)
        #expect(delayed.properties.contains(["REAL_TOPIC", "T0"]) && delayed.properties.contains(["REAL_QID", "0"]))
        let offsets = try reader.integerMap("T0@G", in: "consumerOffset.json")
        #expect(offsets?[0] == 77)
        let topics = try String(contentsOf: reader.directory.appending(path: "config/topics.json"), encoding: .utf8)
        #expect(topics.hasPrefix("{\n\t\"dataVersion\":{\n\t\t\"counter\":"))
        #expect(topics.contains("\n\t\t\"T0\":{\n\t\t\t\"order\":false,\n\t\t\t\"perm\":6,\n\t\t\t\"readQueueNums\":"))
        let groups = try String(
            contentsOf: reader.directory.appending(path: "config/subscriptionGroup.json"), encoding: .utf8)
        #expect(groups.contains("\n\t\t\"G\":{\n\t\t\t\"brokerId\":0,\n\t\t\t\"consumeBroadcastEnable\":true,\n"))
        for name in ["topics.json", "subscriptionGroup.json", "consumerOffset.json"] {
            var bytes = try Data(contentsOf: reader.directory.appending(path: "config/\(name)"))
            #expect(TextSeal.mismatch(of: ByteBuffer(bytes: bytes)) == nil)
            bytes[bytes.startIndex + 2] ^= 1
            #expect(TextSeal.mismatch(of: ByteBuffer(bytes: bytes)) != nil, "\(name) has a seal")
        }
    }
}
