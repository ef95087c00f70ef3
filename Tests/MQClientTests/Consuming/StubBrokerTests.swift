import Logging
import MQProtocol
import MQRemoting
import NIOCore
import Synchronization
import Testing

@testable import MQClient

/// Consumers against a broker that does what real ones do rarely.
@Suite(.timeLimit(.minutes(1))) struct StubBrokerTests {
    /// One queue of topic T at a broker that is its own name server.
    private final class Script: Sendable {
        private struct State {
            var pulls: [StubServer.Answer]
            var answers: [RequestCode: [StubServer.Answer]]
            var address = ""
        }

        private let state: Mutex<State>

        /// - Parameters:
        ///   - pulls: of topic T, one after the other; then the broker refuses.
        ///   - answers: by code, one after the other; the last one stays.
        init(pulls: [StubServer.Answer], answers: [RequestCode: [StubServer.Answer]] = [:]) {
            state = Mutex(State(pulls: pulls, answers: answers))
        }

        func answer(_ request: Frame) -> StubServer.Answer {
            let scripted = state.withLock { state -> StubServer.Answer? in
                if request.requestCode == .pullMessage, request.fields.string("topic") == "T" {
                    return state.pulls.isEmpty ? nil : state.pulls.removeFirst()
                }
                guard let list = state.answers[request.requestCode], let first = list.first else { return nil }
                if list.count > 1 { state.answers[request.requestCode]?.removeFirst() }
                return first
            }
            return scripted ?? standard(request)
        }

        func serve(at address: String) {
            state.withLock { $0.address = address }
        }

        private func standard(_ request: Frame) -> StubServer.Answer {
            switch request.requestCode {
            case .getRouteInfoByTopic:
                let route = TopicRouteData(
                    queueDatas: [QueueData(brokerName: "a", readQueueNums: 1, writeQueueNums: 1, perm: 6)],
                    brokerDatas: [
                        BrokerData(cluster: "C", brokerName: "a", brokerAddrs: [0: state.withLock { $0.address }])
                    ])
                return StubServer.Answer(body: route.encodeStandard())
            case .getConsumerListByGroup:
                return StubServer.Answer(body: ConsumerIDList(consumerIDs: ["me"]).encode())
            case .queryConsumerOffset:
                return StubServer.Answer(fields: [("offset", "0")])
            case .lockBatchMQ:
                let asked = try? LockBatchBody.decode(request.body)
                return StubServer.Answer(body: LockBatchAnswer(queues: asked?.queues ?? []).encode())
            case .pullMessage:
                return StubServer.Answer(code: .systemError, remark: "nothing more in the script")
            case .sendMessageV2:
                return StubServer.Answer(
                    fields: [
                        ("msgId", "7F00000100002A9F0000000000000010"), ("queueId", "0"), ("queueOffset", "7"),
                    ])
            default:
                return StubServer.Answer()
            }
        }
    }

    private func run(
        _ script: Script, _ change: (inout ConsumerConfiguration) -> Void = { _ in },
        outcome: @escaping @Sendable (ReceivedMessage) -> ConsumeOutcome,
        _ body: (StubServer, Deliveries, PushConsumer) async throws -> Void
    ) async throws {
        try await StubServer.with(answer: { script.answer($0) }) { server in
            script.serve(at: server.address)
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
            configuration.clientID = "me"
            configuration.logger = LiveCluster.quiet
            let client = MQClient(configuration)
            var settings = ConsumerConfiguration(group: "g")
            settings.subscriptions = ["T": "*"]
            change(&settings)
            let deliveries = Deliveries()
            let consumer = try PushConsumer(client, settings) { messages, queue in
                deliveries.add(messages, queue)
                return messages.map(outcome)
            }
            let live = LiveConsumer(consumer, of: client)
            try await body(server, deliveries, consumer)
            try await live.stop()
        }
    }

    private static func found(
        _ offsets: [Int64], next: Int64, properties: MessageProperties = [:], reconsumeTimes: Int32 = 0
    ) throws -> StubServer.Answer {
        var body = ByteBuffer()
        for offset in offsets {
            let draft = MessageDraft(
                topic: "T", queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
                bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
                reconsumeTimes: reconsumeTimes, body: ByteBuffer(string: "\(offset)"),
                properties: properties.encode())
            let start = body.writerIndex
            _ = try body.writeRecord(draft)
            body.setInteger(offset, at: start + RecordLayout.queueOffset)
            body.setInteger(offset * 1000, at: start + RecordLayout.physicalOffset)
        }
        return answer(.success, next: next, body: body)
    }

    private static func answer(
        _ code: ResponseCode, next: Int64, minimum: Int64 = 0, maximum: Int64 = 100, body: ByteBuffer? = nil
    ) -> StubServer.Answer {
        StubServer.Answer(
            code: code,
            fields: [
                ("suggestWhichBrokerId", "0"), ("nextBeginOffset", "\(next)"), ("minOffset", "\(minimum)"),
                ("maxOffset", "\(maximum)"),
            ], body: body)
    }

    private func offsets(of pulls: [Frame]) -> [Int64] {
        pulls.filter { $0.requestCode == .pullMessage && $0.fields.string("topic") == "T" }
            .compactMap { $0.fields.int64("queueOffset") }
    }

    @Test("A message whose broker does not take it back is sent to the retry topic anew, with its identity")
    func copyToRetryTopic() async throws {
        let properties: MessageProperties = ["UNIQ_KEY": "U", "KEYS": "k", "TRAN_MSG": "true", "PGROUP": "p"]
        let script = Script(
            pulls: [try Self.found([3], next: 4, properties: properties, reconsumeTimes: 2)],
            answers: [.consumerSendMessageBack: [StubServer.Answer(code: .systemError, remark: "disk full")]])
        try await run(script, outcome: { _ in .retryLater() }) { server, _, consumer in
            let back = await server.request(.consumerSendMessageBack)
            #expect(back.fields.int64("offset") == 3000)
            #expect(back.fields.string("originTopic") == "T")
            #expect(back.fields.int32("maxReconsumeTimes") == 16)
            #expect(back.fields.int32("delayLevel") == 0)
            let sent = try SendMessageHeader(await server.request(.sendMessageV2).fields)
            #expect(sent.topic == "%RETRY%g")
            #expect(sent.reconsumeTimes == 3)
            #expect(sent.maximumReconsumeTimes == 16)
            let carried = MessageProperties(text: sent.properties)
            #expect(carried["UNIQ_KEY"] == "U" && carried["KEYS"] == "k")
            #expect(carried["RETRY_TOPIC"] == "T")
            #expect(carried["DELAY"] == "5")
            #expect(carried["TRAN_MSG"] == nil)
            #expect(carried["ORIGIN_MESSAGE_ID"]?.isEmpty == false)
            await poll { consumer.statistics.retried == 1 && consumer.statistics.cached == 0 }
        }
    }

    @Test("A message that goes back in neither way stays, and is offered again before those behind it")
    func nowhereToGo() async throws {
        let script = Script(
            pulls: [try Self.found([0, 1], next: 2)],
            answers: [
                .consumerSendMessageBack: [
                    StubServer.Answer(code: .systemError), StubServer.Answer(code: .success),
                ],
                .sendMessageV2: [StubServer.Answer(code: .serviceNotAvailable, remark: "disk full")],
            ])
        try await run(
            script,
            {
                $0.order = .orderly
                $0.suspendTime = .milliseconds(10)
            }, outcome: { $0.text == "0" ? .retryLater() : .consumed }
        ) { _, deliveries, consumer in
            await deliveries.wait(forCount: 3)
            #expect(deliveries.texts == ["0", "0", "1"])
            #expect(deliveries.all.map(\.message.reconsumeTimes) == [0, 1, 0])
            await poll { consumer.statistics.cached == 0 }
        }
    }

    @Test("An orderly queue is not pulled before its lock is granted")
    func lockFirst() async throws {
        let refused = StubServer.Answer(body: LockBatchAnswer(queues: []).encode())
        let key = MessageQueueKey(topic: "T", brokerName: "a", queueID: 0)
        let retry = MessageQueueKey(topic: "%RETRY%g", brokerName: "a", queueID: 0)
        let granted = StubServer.Answer(body: LockBatchAnswer(queues: [key, retry]).encode())
        let script = Script(
            pulls: [try Self.found([0], next: 1)], answers: [.lockBatchMQ: [refused, refused, refused, granted]])
        try await run(script, { $0.order = .orderly }, outcome: { _ in .consumed }) { server, deliveries, _ in
            await deliveries.wait(forCount: 1)
            let codes = server.requests.map(\.requestCode)
            let pull = try #require(codes.firstIndex(of: .pullMessage))
            #expect(codes[..<pull].count { $0 == .lockBatchMQ } >= 4)
        }
    }

    @Test("Before the first message means the first one; an answer that leads backwards is not followed")
    func corrections() async throws {
        let script = Script(pulls: [
            Self.answer(.pullOffsetMoved, next: 20, minimum: 20),
            try Self.found([20, 21], next: 22, properties: [:]),
            Self.answer(.pullNotFound, next: 3),
            Self.answer(.pullRetryImmediately, next: 25),
            try Self.found([25], next: 26),
        ])
        try await run(script, outcome: { _ in .consumed }) { server, deliveries, consumer in
            await deliveries.wait(forCount: 3)
            #expect(offsets(of: server.requests).prefix(5) == [0, 20, 22, 22, 25])
            #expect(consumer.statistics.offsetCorrections == 1)
        }
    }

    @Test("A group unknown to the broker, and every other refusal, are survived")
    func refusals() async throws {
        let script = Script(pulls: [
            StubServer.Answer(code: .flowControl), StubServer.Answer(code: .subscriptionNotExist),
            StubServer.Answer(code: .success, body: ByteBuffer(string: "no records")),
            try Self.found([0], next: 1),
        ])
        try await run(script, outcome: { _ in .consumed }) { server, deliveries, _ in
            await deliveries.wait(forCount: 1)
            // One at the start, one because of the answer.
            #expect(server.requests.count { $0.requestCode == .heartbeat } >= 2)
        }
    }

    @Test("The offset reached travels with the pulls")
    func piggyBack() async throws {
        let gate = try Self.found([5], next: 6)
        let script = Script(
            pulls: [gate, Self.answer(.pullRetryImmediately, next: 6), Self.answer(.pullRetryImmediately, next: 6)],
            answers: [.queryConsumerOffset: [StubServer.Answer(fields: [("offset", "5")])]])
        try await run(script, outcome: { _ in .consumed }) { server, _, _ in
            await poll {
                server.requests.contains { request in
                    request.requestCode == .pullMessage && request.fields.int64("commitOffset") == 6
                        && PullFlags(rawValue: request.fields.int32("sysFlag") ?? 0).contains(.commitOffset)
                }
            }
        }
    }
}
