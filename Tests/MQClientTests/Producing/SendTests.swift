@testable import MQClient
import MQProtocol
import NIOCore
import Testing

@Suite struct SendTests {
    @Test("A message's tag, keys, properties and delay travel as properties")
    func properties() async throws {
        var message = Message(topic: "Orders", body: "hello")
        message.tag = "web"
        message.keys = ["a", "b"]
        message.properties = ["colour": "red"]
        message.delay = .after(.milliseconds(1500))
        message.flag = 5
        let (header, body, receipt) = try await send(message)
        let properties = MessageProperties(text: header.properties)
        #expect(properties[PropertyName.tags] == "web")
        #expect(properties[PropertyName.keys] == "a b")
        #expect(properties["colour"] == "red")
        #expect(properties[PropertyName.timerDelayMilliseconds] == "1500")
        #expect(properties[PropertyName.uniqueKey] == receipt.messageID)
        #expect(header.flag == 5)
        #expect(String(buffer: body) == "hello")
        #expect(receipt.status == .stored)
        #expect(receipt.queueOffset == 7)
        #expect(receipt.queue.queueID == 1)
    }

    @Test("A large body is compressed and marked so")
    func compression() async throws {
        let text = String(repeating: "long ", count: 2000)
        let (header, body, _) = try await send(Message(topic: "Orders", body: text))
        #expect(header.sysFlag.compression != nil)
        #expect(body.readableBytes < text.utf8.count / 10)
        let inflated = try header.sysFlag.compression?.decompress(body, limit: 1 << 20)
        #expect(inflated.map { String(buffer: $0) } == text)
    }

    @Test("A key always chooses the same queue, the one Java's hash selector chooses")
    func orderedByKey() async throws {
        // "order-17".hashCode() is 1234255109 in Java: queue 1 of 2.
        #expect(javaHash("order-17") == 1_234_255_109)
        let (header, _, _) = try await send(Message(topic: "Orders", body: "x"), key: "order-17")
        #expect(header.queueID == 1)
    }

    @Test(
        "What no broker would store is refused before it is sent",
        arguments: [
            Message(topic: "", body: "x"),
            Message(topic: "not a topic", body: "x"),
            Message(topic: String(repeating: "t", count: 128), body: "x"),
            Message(topic: "Orders", body: ByteBuffer(repeating: 0, count: 4 * 1024 * 1024 + 1)),
            Message(topic: "Orders", body: ""),
            Message(topic: "RMQ_SYS_TRANS_HALF_TOPIC", body: "x"),
            Message(topic: "SCHEDULE_TOPIC_\("XXXX")", body: "x"),
            unrepresentable,
        ])
    func refused(message: Message) async throws {
        try await withServers { client, broker in
            let error = await #expect(throws: MQClientError.self) { try await client.send(message) }
            #expect(error?.code == .invalidMessage)
            #expect(broker.requests.isEmpty)
        }
    }

    @Test("A batch is one request whose items keep bodies and properties")
    func batch() async throws {
        try await withServers { client, broker in
            var tagged = Message(topic: "Orders", body: "two")
            tagged.tag = "web"
            let receipt = try await client.send([Message(topic: "Orders", body: "one"), tagged])
            let request = try #require(broker.requests.first)
            #expect(request.requestCode == .sendBatchMessage)
            #expect(try SendMessageHeader(request.fields).isBatch)
            let items = try BatchItem.decode(request.body)
            #expect(items.map { String(buffer: $0.body) } == ["one", "two"])
            #expect(MessageProperties(text: items[1].properties)[PropertyName.tags] == "web")
            #expect(receipt.messageID.split(separator: ",").count == 2)
        }
    }

    @Test("A one-way send says so, carries the same message and waits for nothing")
    func oneWay() async throws {
        try await withServers { client, broker in
            let id = try await client.sendOneWay(Message(topic: "Orders", body: "x"))
            let request = await broker.request(.sendMessageV2)
            #expect(request.isOneWay)
            let header = try SendMessageHeader(request.fields)
            #expect(MessageProperties(text: header.properties)[PropertyName.uniqueKey] == id)
            try await client.sendOneWay(Message(topic: "Orders", body: "x"), orderedBy: "order-17")
            let ordered = await broker.request(.sendMessageV2, number: 2)
            #expect(try SendMessageHeader(ordered.fields).queueID == 1)
            let queue = try #require(try await client.publishQueues("Orders").first)
            try await client.sendOneWay(Message(topic: "Orders", body: "x"), to: queue)
            #expect(try SendMessageHeader(await broker.request(.sendMessageV2, number: 3).fields).queueID == 0)
        }
    }

    @Test("What is sent again keeps what its producer gave it, and is neither half nor delayed")
    func resend() async throws {
        try await withServers { client, broker in
            var body = ByteBuffer()
            let properties: MessageProperties = [
                "TAGS": "web", "KEYS": "a b", "colour": "red", "TRAN_MSG": "true", "PGROUP": "Shop", "DELAY": "3",
                "TIMER_OUT_MS": "17", "UNIQ_KEY": "old",
            ]
            let draft = MessageDraft(
                topic: "Orders", queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
                bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
                body: ByteBuffer(string: "again"), properties: properties.encode())
            _ = try body.writeRecord(draft)
            let received = try ReceivedMessage(StoredMessage(reading: &body), brokerName: "a")
            let receipt = try await client.resend(received)
            let sent = await broker.request(.sendMessageV2)
            let text = try SendMessageHeader(sent.fields).properties
            #expect(
                MessageProperties(text: text) == [
                    "TAGS": "web", "KEYS": "a b", "colour": "red", "UNIQ_KEY": receipt.messageID, "WAIT": "true",
                ])
        }
    }

    @Test("A batch of two topics, or with a delay, is refused")
    func badBatches() async throws {
        var delayed = Message(topic: "Orders", body: "x")
        delayed.delay = .level(1)
        let plain = Message(topic: "Orders", body: "x")
        try await withServers { client, broker in
            let retries = [Message(topic: "%RETRY%G", body: "x")]
            for batch in [[], [plain, Message(topic: "Other", body: "x")], [plain, delayed], retries] {
                let error = await #expect(throws: MQClientError.self) { try await client.send(batch) }
                #expect(error?.code == .invalidMessage)
            }
            #expect(broker.requests.isEmpty)
        }
    }

    private static var unrepresentable: Message {
        var message = Message(topic: "Orders", body: "x")
        message.properties = ["name": "with \u{2} inside"]
        return message
    }

    private func send(
        _ message: Message, key: String? = nil
    ) async throws -> (SendMessageHeader, ByteBuffer, SendReceipt) {
        try await withServers { client, broker in
            let receipt: SendReceipt
            if let key {
                receipt = try await client.send(message, orderedBy: key)
            } else {
                receipt = try await client.send(message)
            }
            let request = await broker.request(.sendMessageV2)
            return (try SendMessageHeader(request.fields), request.body, receipt)
        }
    }

    private func withServers<Value>(_ body: (MQClient, StubServer) async throws -> Value) async throws -> Value {
        try await StubServer.with(answer: Stubs.broker) { broker in
            try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: broker.address)) { servers in
                try await Stubs.client(of: servers.address) { client in
                    try await body(client, broker)
                }
            }
        }
    }
}
