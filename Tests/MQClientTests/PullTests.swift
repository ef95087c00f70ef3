import MQClient
import MQProtocol
import NIOCore
import Testing

@Suite struct PullTests {
    /// These two have one hash, so a broker lets both through.
    private static let tags = ["Aa", "BB"]

    @Test("Messages that the broker let through by their tag's hash only are removed")
    func exactTags() async throws {
        #expect(javaHash(Self.tags[0]) == javaHash(Self.tags[1]))
        let body = try records(Self.tags)
        let result = try await pull(tags: "Aa", answer: StubServer.Answer(fields: Self.fields, body: body))
        #expect(result.status == .found)
        #expect(result.messages.map(\.tag) == ["Aa"])
        #expect(result.nextOffset == 2)
        let both = try await pull(tags: "Aa || BB", answer: StubServer.Answer(fields: Self.fields, body: body))
        #expect(both.messages.map(\.tag) == ["Aa", "BB"])
        let all = try await pull(tags: "*", answer: StubServer.Answer(fields: Self.fields, body: body))
        #expect(all.messages.map(\.text) == ["body of Aa", "body of BB"])
    }

    @Test(
        "The end of a queue, filtered messages and a moved offset are results, not errors",
        arguments: [
            (ResponseCode.pullNotFound, PullResult.Status.noNewMessage),
            (.pullRetryImmediately, .noMatchingMessage),
            (.pullOffsetMoved, .offsetOutsideQueue),
        ])
    func statuses(code: ResponseCode, status: PullResult.Status) async throws {
        let result = try await pull(tags: "*", answer: StubServer.Answer(code: code, fields: Self.fields))
        #expect(result.status == status)
        #expect(result.messages.isEmpty)
        #expect(result.nextOffset == 2)
    }

    @Test("A refusal carries the code and the remark in one line")
    func refused() async throws {
        let answer = StubServer.Answer(code: .noPermission, remark: "the topic is\nnot readable")
        let error = await #expect(throws: MQClientError.self) { try await pull(tags: "*", answer: answer) }
        #expect(error?.code == .refused)
        #expect(error?.responseCode == 16)
        #expect(error?.message.contains("the topic is not readable") == true)
    }

    @Test("A damaged body makes its message unreadable; a damaged frame of it is an error that names the broker")
    func damaged() async throws {
        var body = try records(["Aa"])
        body.setInteger(UInt8(0), at: body.readableBytes / 2)
        body.setInteger(Int32(12), at: 8)
        let answer = StubServer.Answer(fields: Self.fields, body: body)
        let result = try await pull(tags: "*", answer: answer)
        #expect(result.messages.map { $0.unreadable?.contains("damaged") } == [true])
        body.setInteger(Int32(7), at: 4)
        let unknown = StubServer.Answer(fields: Self.fields, body: body)
        let error = await #expect(throws: MQClientError.self) { try await pull(tags: "*", answer: unknown) }
        #expect(error?.code == .malformedResponse)
    }

    private static let fields = [
        ("suggestWhichBrokerId", "0"), ("nextBeginOffset", "2"), ("minOffset", "0"), ("maxOffset", "2"),
    ]

    private func pull(tags: String, answer: StubServer.Answer) async throws -> PullResult {
        try await StubServer.with(answer: { _ in answer }) { broker in
            try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: broker.address)) { servers in
                try await Stubs.client(of: servers.address) { client in
                    let queue = try #require(try await client.subscribeQueues("Orders").first)
                    return try await client.pull(queue, from: 0, tags: tags)
                }
            }
        }
    }

    private func records(_ tags: [String]) throws -> ByteBuffer {
        var body = ByteBuffer()
        for tag in tags {
            let draft = MessageDraft(
                topic: "Orders", queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
                bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
                body: ByteBuffer(string: "body of \(tag)"),
                properties: (["TAGS": tag] as MessageProperties).encode())
            _ = try body.writeRecord(draft)
        }
        return body
    }
}
