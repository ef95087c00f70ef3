import MQClient
import MQProtocol
import NIOCore
import Testing

@Suite struct StoredQueueTests {
    private static let verdicts = MessageQueue(topic: "RMQ_SYS_TRANS_OP_HALF_TOPIC", brokerName: "a", queueID: 0)

    @Test("A queue whose topic a stock broker lists nowhere is read through its entries")
    func unlistedTopic() async throws {
        try await StubServer.with(answer: Self.stockBroker(end: 150)) { broker in
            try await StubServer.with(
                answer: Stubs.nameServer(topics: ["RMQ_SYS_TRANS_HALF_TOPIC"], broker: broker.address)
            ) { servers in
                try await Stubs.client(of: servers.address) { client in
                    let topic = "RMQ_SYS_TRANS_HALF_TOPIC"
                    let offsets = try await client.storedOffsets(of: Self.verdicts, routed: topic)
                    #expect(offsets == 3..<150)
                    for part in [offsets, 140..<150] {
                        var texts: [String] = []
                        try await client.forEachStoredMessage(of: Self.verdicts, routed: topic, in: part) {
                            texts.append($0.text)
                        }
                        #expect(texts == part.map(String.init))
                    }
                }
            }
        }
    }

    @Test("A queue that ends before the entries asked for ends the reading")
    func shorterThanItsOffsets() async throws {
        try await StubServer.with(answer: Self.stockBroker(end: 3)) { broker in
            try await StubServer.with(answer: Stubs.nameServer(topics: ["T"], broker: broker.address)) { servers in
                try await Stubs.client(of: servers.address) { client in
                    try await client.forEachStoredMessage(of: Self.verdicts, routed: "T", in: 3..<150) { _ in
                        Issue.record("there is no message")
                    }
                }
            }
        }
    }

    /// Has the entries 3..<`end`, the message of entry n at log offset 1000 * n, and claims to have 150.
    private static func stockBroker(end: Int64) -> @Sendable (Frame) -> StubServer.Answer {
        { request in
            switch request.requestCode {
            case .getMinOffset: return StubServer.Answer(fields: [("offset", "3")])
            case .getMaxOffset: return StubServer.Answer(fields: [("offset", "150")])
            case .queryConsumeQueue:
                let first = request.fields.int64("index") ?? -1
                let count = request.fields.int64("count") ?? 0
                let indexes = first..<max(first, min(end, first + count))
                guard !indexes.isEmpty else { return StubServer.Answer(remark: "Index \(first) of 0@T is not exist!") }
                let entries = indexes.map {
                    #"{"eval":false,"physicOffset":\#($0 * 1000),"physicSize":100,"tagsCode":100}"#
                }
                let json = #"{"maxQueueIndex":150,"minQueueIndex":3,"queueData":[\#(entries.joined(separator: ","))]}"#
                return StubServer.Answer(body: ByteBuffer(string: json))
            case .viewMessageByID:
                let offset = request.fields.int64("offset") ?? -1
                return StubServer.Answer(body: record(String(offset / 1000)))
            default: return StubServer.Answer(code: .requestCodeNotSupported)
            }
        }
    }

    private static func record(_ text: String) -> ByteBuffer? {
        let draft = MessageDraft(
            topic: verdicts.topic, queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
            body: ByteBuffer(string: text), properties: (["TAGS": "d"] as MessageProperties).encode())
        var body = ByteBuffer()
        return (try? body.writeRecord(draft)) == nil ? nil : body
    }
}
