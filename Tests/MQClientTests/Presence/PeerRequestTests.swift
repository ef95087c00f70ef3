@testable import MQClient
import MQProtocol
import MQRemoting
import NIOCore
import Synchronization
import Testing

@Suite struct PeerRequestTests {
    @Test(
        "A broker's request reaches the consumer it is addressed to",
        arguments: [
            (RequestCode.notifyConsumerIDsChanged, "consumerGroup"), (.getConsumerRunningInfo, "consumerGroup"),
            (.consumeMessageDirectly, "consumerGroup"), (.resetConsumerClientOffset, "group"),
            (.getConsumerStatusFromClient, "group"),
        ])
    func addressed(code: RequestCode, field: String) async throws {
        try await withClient { client, broker in
            let consumer = ConsumerPresence(group: "Readers", subscriptions: { [] }) { request, connection in
                connection.reply(to: request.replyTo, .success, remark: "taken \(request.code)")
            }
            try client.register(consumer: consumer)
            let answer = try await broker.request(
                code, header: EmptyHeader(), extra: [(field, "Readers")], timeout: .seconds(3))
            #expect(answer.remark == "taken \(code.rawValue)")
            let other = try await broker.request(
                code, header: EmptyHeader(), extra: [(field, "Others")], timeout: .seconds(3))
            #expect(other.responseCode == .systemError)
            #expect(other.remark?.contains("<Others>") == true)
        }
    }

    @Test("A check-back reaches the producer group that the half message names")
    func checkBack() async throws {
        try await withClient { client, broker in
            let checks = AsyncStream<CheckRequest>.makeStream()
            try client.register(producer: ProducerPresence(group: "Shop") { checks.continuation.yield($0) })
            try client.register(producer: ProducerPresence(group: "Silent"))
            let header = CheckTransactionStateHeader(
                queueOffset: QueueOffset(rawValue: 3), logOffset: LogOffset(rawValue: 77), messageID: "ID")
            for group in ["Nobody", "Silent", "Shop"] {
                let body = try half(group)
                broker.onLoop { $0.sendOneWay(.checkTransactionState, header: header, body: body) }
            }
            var arrived = checks.stream.makeAsyncIterator()
            let check = try #require(await arrived.next())
            #expect(check.header == header)
            #expect(check.message.properties[PropertyName.producerGroup] == "Shop")
            #expect(check.message.topic == "Orders")
        }
    }

    @Test("What is no check-back is passed over, and other requests are refused")
    func hostile() async throws {
        try await withClient { client, broker in
            let header = CheckTransactionStateHeader(queueOffset: .zero, logOffset: .zero)
            broker.onLoop {
                $0.sendOneWay(.checkTransactionState, header: header, body: ByteBuffer(string: "no record"))
            }
            broker.onLoop { $0.sendOneWay(.checkTransactionState, header: EmptyHeader()) }
            let answer = try await broker.request(.sendMessage, header: EmptyHeader(), timeout: .seconds(3))
            #expect(answer.responseCode == .requestCodeNotSupported)
        }
    }

    private func half(_ group: String) throws -> ByteBuffer {
        var body = ByteBuffer()
        let draft = MessageDraft(
            topic: "Orders", queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
            body: ByteBuffer(string: "half"),
            properties: ([PropertyName.producerGroup: group] as MessageProperties).encode())
        _ = try body.writeRecord(draft)
        return body
    }

    /// A client and its connection as its broker sees it.
    private func withClient(_ body: (MQClient, ConnectionHandle) async throws -> Void) async throws {
        try await StubServer.with(answer: { _ in StubServer.Answer() }) { broker in
            try await MQClient.with(MQClientConfiguration(nameServers: nil)) { client in
                try await client.heartbeat(to: broker.address)
                try await body(client, try #require(broker.client))
            }
        }
    }
}
