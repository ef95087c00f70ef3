import Logging
import MQProtocol
import MQRemoting
import NIOCore
import Synchronization
import Testing

@testable import MQClient

/// Consumers against a broker that does what real ones do rarely.
@Suite(.timeLimit(.minutes(1))) struct StubBrokerTests {
    private func offsets(of pulls: [Frame]) -> [Int64] {
        pulls.filter { $0.requestCode == .pullMessage && $0.fields.string("topic") == "T" }
            .compactMap { $0.fields.int64("queueOffset") }
    }

    @Test("A message whose broker does not take it back is sent to the retry topic anew, with its identity")
    func copyToRetryTopic() async throws {
        let properties: MessageProperties = ["UNIQ_KEY": "U", "KEYS": "k", "TRAN_MSG": "true", "PGROUP": "p"]
        let script = StubScript(
            pulls: [try StubAnswer.found([3], next: 4, properties: properties, reconsumeTimes: 2)],
            answers: [.consumerSendMessageBack: [StubServer.Answer(code: .systemError, remark: "disk full")]])
        try await script.run(outcome: { _ in .retryLater() }) { server, _, consumer in
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
        let script = StubScript(
            pulls: [try StubAnswer.found([0, 1], next: 2)],
            answers: [
                .consumerSendMessageBack: [
                    StubServer.Answer(code: .systemError), StubServer.Answer(code: .success),
                ],
                .sendMessageV2: [StubServer.Answer(code: .serviceNotAvailable, remark: "disk full")],
            ])
        try await script.run(
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
        let script = StubScript(
            pulls: [try StubAnswer.found([0], next: 1)], answers: [.lockBatchMQ: [refused, refused, refused, granted]])
        try await script.run({ $0.order = .orderly }, outcome: { _ in .consumed }) { server, deliveries, _ in
            await deliveries.wait(forCount: 1)
            let codes = server.requests.map(\.requestCode)
            let pull = try #require(codes.firstIndex(of: .pullMessage))
            #expect(codes[..<pull].count { $0 == .lockBatchMQ } >= 4)
        }
    }

    @Test("Before the first message means the first one; an answer that leads backwards is not followed")
    func corrections() async throws {
        let script = StubScript(pulls: [
            StubAnswer.pull(.pullOffsetMoved, next: 20, minimum: 20),
            try StubAnswer.found([20, 21], next: 22, properties: [:]),
            StubAnswer.pull(.pullNotFound, next: 3),
            StubAnswer.pull(.pullRetryImmediately, next: 25),
            try StubAnswer.found([25], next: 26),
        ])
        try await script.run(outcome: { _ in .consumed }) { server, deliveries, consumer in
            await deliveries.wait(forCount: 3)
            #expect(offsets(of: server.requests).prefix(5) == [0, 20, 22, 22, 25])
            #expect(consumer.statistics.offsetCorrections == 1)
        }
    }

    @Test("A message that cannot be read is a dead letter, and those behind it go on", arguments: [false, true])
    func unreadable(isDamaged: Bool) async throws {
        var lz4 = SysFlag()
        lz4.compression = .lz4
        var answer = try StubAnswer.found([3, 4, 5], next: 6, flags: isDamaged ? [:] : [4: lz4])
        if isDamaged { answer.body = answer.body.map { damaged($0, "4") } }
        let script = StubScript(pulls: [answer])
        try await script.run({ $0.batchSize = 3 }, outcome: { _ in .consumed }) { server, deliveries, consumer in
            await deliveries.wait(forCount: 2)
            #expect(deliveries.texts == ["3", "5"])
            let back = await server.request(.consumerSendMessageBack)
            #expect(back.fields.int64("offset") == 4000)
            #expect(back.fields.int32("delayLevel") == -1)
            await poll { consumer.statistics.cached == 0 && consumer.statistics.deadLetters == 1 }
        }
    }

    @Test("Whoever wants messages that cannot be read gets them, with the reason and the bytes that were stored")
    func unreadableWanted() async throws {
        var lz4 = SysFlag()
        lz4.compression = .lz4
        let script = StubScript(pulls: [try StubAnswer.found([3, 4], next: 5, flags: [3: lz4])])
        try await script.run({ $0.handsOverUnreadable = true }, outcome: { _ in .consumed }) { _, deliveries, _ in
            await deliveries.wait(forCount: 2)
            #expect(deliveries.texts.sorted() == ["3", "4"])
            let reasons = deliveries.all.compactMap(\.message.unreadable)
            #expect(reasons.count == 1 && reasons[0].contains("compressed"))
        }
    }

    /// Another letter where the body is the one given.
    private func damaged(_ records: ByteBuffer, _ body: String) -> ByteBuffer {
        var bytes = Array(records.readableBytesView)
        let wanted = [0, 0, 0, UInt8(body.utf8.count)] + Array(body.utf8)
        if let place = bytes.indices.first(where: { bytes[$0...].starts(with: wanted) }) { bytes[place + 4] ^= 1 }
        return ByteBuffer(bytes: bytes)
    }

    @Test("A group unknown to the broker, and every other refusal, are survived")
    func refusals() async throws {
        let script = StubScript(pulls: [
            StubServer.Answer(code: .flowControl), StubServer.Answer(code: .subscriptionNotExist),
            StubServer.Answer(code: .success, body: ByteBuffer(string: "no records")),
            try StubAnswer.found([0], next: 1),
        ])
        try await script.run(outcome: { _ in .consumed }) { server, deliveries, _ in
            await deliveries.wait(forCount: 1)
            // One at the start, one because of the answer.
            #expect(server.requests.count { $0.requestCode == .heartbeat } >= 2)
        }
    }

    @Test("The offset reached travels with the pulls")
    func piggyBack() async throws {
        let gate = try StubAnswer.found([5], next: 6)
        let script = StubScript(
            pulls: [
                gate, StubAnswer.pull(.pullRetryImmediately, next: 6), StubAnswer.pull(.pullRetryImmediately, next: 6),
            ],
            answers: [.queryConsumerOffset: [StubServer.Answer(fields: [("offset", "5")])]])
        try await script.run(outcome: { _ in .consumed }) { server, _, _ in
            await poll {
                server.requests.contains { request in
                    request.requestCode == .pullMessage && request.fields.int64("commitOffset") == 6
                        && PullFlags(rawValue: request.fields.int32("sysFlag") ?? 0).contains(.commitOffset)
                }
            }
        }
    }
}
