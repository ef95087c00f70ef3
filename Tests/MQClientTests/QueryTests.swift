import MQClient
import MQProtocol
import NIOCore
import Testing

/// Looking for a message at several brokers.
@Suite struct QueryTests {
    private static let found: @Sendable (Frame) -> StubServer.Answer = { _ in
        let draft = MessageDraft(
            topic: "Orders", queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
            body: ByteBuffer(string: "x"), properties: (["KEYS": "k", "UNIQ_KEY": "U"] as MessageProperties).encode())
        var body = ByteBuffer()
        guard (try? body.writeRecord(draft)) != nil else { return StubServer.Answer(code: .systemError) }
        return StubServer.Answer(body: body)
    }

    private func query(
        _ broker: @escaping @Sendable (Frame) -> StubServer.Answer,
        _ body: (MQClient) async throws -> Void
    ) async throws {
        let dead = try await Stubs.deadAddress()
        try await StubServer.with(answer: broker) { broker in
            let brokers = ["a": dead, "b": broker.address, "c": dead]
            try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], brokers: { brokers })) { servers in
                try await Stubs.client(of: servers.address, body)
            }
        }
    }

    @Test("A broker that is away does not keep another one's messages back")
    func foundElsewhere() async throws {
        try await query(Self.found) { client in
            let byKey = try await client.messages(topic: "Orders", key: "k")
            let byID = try await client.messages(topic: "Orders", uniqueID: "U")
            #expect(byKey.count == 1 && byID.count == 1)
        }
    }

    @Test("When nothing that was looked for is found, a broker that is away is the reason")
    func foundNowhere() async throws {
        try await query(Self.found) { client in
            let error = await #expect(throws: MQClientError.self) {
                try await client.messages(topic: "Orders", key: "other")
            }
            #expect(error?.code == .brokerUnreachable)
        }
        try await query({ _ in StubServer.Answer(code: .queryNotFound) }) { client in
            let error = await #expect(throws: MQClientError.self) {
                try await client.messages(topic: "Orders", uniqueID: "U")
            }
            #expect(error?.code == .brokerUnreachable)
        }
    }
}
