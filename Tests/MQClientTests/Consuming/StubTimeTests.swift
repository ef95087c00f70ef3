import MQProtocol
import MQRemoting
import NIOCore
import Synchronization
import Testing

@testable import MQClient

/// What takes minutes, on a clock that is moved.
@Suite(.timeLimit(.minutes(1))) struct StubTimeTests {
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_795_000_000_000))

    /// Asleep when nothing is under way: the client's two loops, the consumer's five, and the two queues' pulls, which
    /// the broker refuses.
    private let sleepers = 9

    /// Moves the clock in steps, each when everybody has done what the last one woke them for.
    private func move(by step: Duration, until isMet: () -> Bool) async {
        await clock.waitForSleepers(count: sleepers)
        while !isMet(), !Task.isCancelled {
            clock.advance(by: step)
            await clock.waitForSleepers(count: sleepers)
        }
    }

    @Test("A message that a handler keeps for too long is sent back, and the offset moves on without it")
    func overdue() async throws {
        let script = StubScript(pulls: [try StubAnswer.found([0, 1], next: 2)])
        let gate = Gate()
        try await script.run(
            time: .manual(clock),
            outcome: { message in
                if message.text == "0" { await gate.pass() }
                return .consumed
            }
        ) { server, deliveries, consumer in
            await deliveries.wait(forCount: 2)
            var steps = 0
            await move(by: .seconds(15 * 60)) {
                steps += 1
                return server.requests.contains { $0.requestCode == .consumerSendMessageBack }
            }
            // Not at the first sweep: the message was not overdue then.
            #expect(steps == 3)
            let back = await server.request(.consumerSendMessageBack)
            #expect(back.fields.int32("delayLevel") == 3)
            #expect(back.fields.int64("offset") == 0)
            await move(by: .seconds(5)) { stored(server).contains(2) }
            gate.open()
            await poll { consumer.statistics.cached == 0 }
            #expect(consumer.statistics.retried == 1)
        }
    }

    @Test("When the broker gives a lock to somebody else, what the handler says is ignored, and the queue begun anew")
    func lostLock() async throws {
        let queues = ["%RETRY%g", "T"].map { MessageQueueKey(topic: $0, brokerName: "a", queueID: 0) }
        let granted = StubServer.Answer(body: LockBatchAnswer(queues: queues).encode())
        let refused = StubServer.Answer(body: LockBatchAnswer(queues: []).encode())
        // One request for each topic, then the refresh of both.
        let script = StubScript(
            pulls: [try StubAnswer.found([0], next: 1)],
            answers: [.lockBatchMQ: [granted, granted, refused, granted]])
        let gate = Gate()
        try await script.run(
            { $0.order = .orderly }, time: .manual(clock),
            outcome: { _ in
                await gate.pass()
                return .consumed
            }
        ) { server, deliveries, _ in
            await deliveries.wait(forCount: 1)
            await clock.waitForSleepers(count: sleepers)
            clock.advance(by: .seconds(20))
            _ = await server.request(.lockBatchMQ, number: 3)
            _ = await server.request(.unlockBatchMQ)
            script.add(pull: try StubAnswer.found([0], next: 1))
            gate.open()
            await deliveries.wait(forCount: 2)
            #expect(deliveries.texts == ["0", "0"])
            #expect(!stored(server).contains(1))
        }
    }

    @Test("Offsets are stored every five seconds, and only when they have changed")
    func storing() async throws {
        let script = StubScript(pulls: [try StubAnswer.found([0, 1, 2], next: 3)])
        try await script.run(time: .manual(clock), outcome: { _ in .consumed }) { server, _, consumer in
            await poll { consumer.statistics.consumed == 3 }
            var steps = 0
            await move(by: .seconds(5)) {
                steps += 1
                return stored(server).contains(3)
            }
            #expect(steps == 2)
            let count = stored(server).count
            await move(by: .seconds(5)) {
                steps += 1
                return steps == 10
            }
            #expect(stored(server).count == count)
        }
    }

    private func stored(_ server: StubServer) -> [Int64] {
        server.requests.filter { $0.requestCode == .updateConsumerOffset && $0.fields.string("topic") == "T" }
            .compactMap { $0.fields.int64("commitOffset") }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ConsumerPeerTests {
    @Test("A broker that hangs holds up a leaving consumer once, not once for each of its queues")
    func leaving() async throws {
        let script = StubScript(
            pulls: [],
            answers: [
                .queryConsumerOffset: [StubServer.Answer(code: .queryNotFound)],
                .getMaxOffset: [StubServer.Answer(fields: [("offset", "5")])],
                .getMinOffset: [StubServer.Answer(fields: [("offset", "5")])],
                .updateConsumerOffset: [.never], .unregisterClient: [.never],
            ])
        try await StubServer.with(answer: { script.answer($0) }) { server in
            script.serve(at: server.address)
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
            configuration.clientID = "me"
            configuration.logger = LiveCluster.quiet
            configuration.requestTimeout = .seconds(1)
            let client = MQClient(configuration)
            var settings = ConsumerConfiguration(group: "g")
            settings.order = .orderly
            for number in 0..<19 { settings.subscriptions["T\(number)"] = "*" }
            let consumer = try PushConsumer(client, settings) { messages, _ in messages.map { _ in .consumed } }
            let running = Task { try await consumer.run() }
            await poll { consumer.statistics.queuesHeld == 20 }
            let before = server.requests.count
            running.cancel()
            _ = await running.result
            // All at once: one after the other would be cut off after two.
            let stored = server.requests.dropFirst(before).filter { $0.requestCode == .updateConsumerOffset }
            #expect(Set(stored.compactMap { $0.fields.string("topic") }).count == 20)
            await client.shutdown()
        }
    }

    @Test("A consumer tells where it is and what it does")
    func status() async throws {
        let script = StubScript(pulls: [try StubAnswer.found([0, 1, 2], next: 3)])
        try await script.run(outcome: { _ in .consumed }) { server, _, consumer in
            await poll { consumer.statistics.consumed == 3 }
            let client = try #require(server.client)
            let answer = try await client.request(
                .getConsumerStatusFromClient, header: ConsumerStatusHeader(topic: "T", group: "g"),
                timeout: .seconds(10))
            let status = try ConsumerStatusBody.decode(answer.body)
            #expect(status.queues.map(\.queue.topic) == ["T"])
            #expect(status.queues.map(\.offset.rawValue) == [3])
            let header = ConsumerRunningInfoHeader(consumerGroup: "g", clientID: "me")
            let running = try await client.request(.getConsumerRunningInfo, header: header, timeout: .seconds(10))
            let info = try ConsumerRunningInfo.decode(running.body)
            #expect(info.properties["PROP_CONSUMEORDERLY"] == "false")
            #expect(info.queues.contains(MessageQueueKey(topic: "T", brokerName: "a", queueID: 0)))
            let queue = try #require(
                info.json["mqTable"]?.members.first { $0.key.object?["topic"]?.text == "T" }?.value)
            #expect(queue["commitOffset"]?.integer == 3)
            #expect(info.json["statusTable"]?["T"]?["consumeOKTPS"]?.double ?? 0 > 0)
        }
    }

    @Test("A message consumed directly is answered by its outcome and moves no offset")
    func direct() async throws {
        let script = StubScript(pulls: [])
        try await script.run(outcome: { $0.text == "0" ? .consumed : .retryLater(level: 2) }) { server, _, _ in
            _ = await server.request(.pullMessage)
            let client = try #require(server.client)
            for (offset, expected) in [(Int64(0), "CR_SUCCESS"), (1, "CR_LATER")] {
                let answer = try await client.request(
                    .consumeMessageDirectly, header: ConsumeDirectlyHeader(consumerGroup: "g", brokerName: "a"),
                    body: try StubAnswer.found([offset], next: 0).body, timeout: .seconds(10))
                #expect(try ConsumeDirectlyResult.decode(answer.body).consumeResult == expected)
            }
            let broken = try await client.request(
                .consumeMessageDirectly, header: ConsumeDirectlyHeader(consumerGroup: "g"),
                body: ByteBuffer(string: "no record"), timeout: .seconds(10))
            #expect(broken.responseCode == .systemError)
        }
    }
}

@Suite struct ConsumerConfigurationTests {
    private static let mistakes: [(name: String, change: @Sendable (inout ConsumerConfiguration) -> Void)] = [
        ("subscribes to nothing", { $0.subscriptions = [:] }),
        ("a b", { $0.group = "a b" }),
        ("DEFAULT_CONSUMER", { $0.group = "DEFAULT_CONSUMER" }),
        ("too#bad", { $0.subscriptions = ["too#bad": "*"] }),
        ("batchSize", { $0.batchSize = 0 }),
        ("concurrency", { $0.concurrency = 1001 }),
        ("pullBatchSize", { $0.pullBatchSize = 1025 }),
        ("pullThresholdForQueue", { $0.pullThresholdForQueue = 0 }),
        ("pullThresholdBytesForQueue", { $0.pullThresholdBytesForQueue = 0 }),
        ("pullThresholdForTopic", { $0.pullThresholdForTopic = 0 }),
        ("pullThresholdBytesForTopic", { $0.pullThresholdBytesForTopic = 0 }),
        ("maximumSpan", { $0.maximumSpan = 65536 }),
        ("suspendTime", { $0.suspendTime = .milliseconds(9) }),
        ("consumeTimeout", { $0.consumeTimeout = .zero }),
        ("drainTimeout", { $0.drainTimeout = .seconds(-1) }),
    ]

    @Test("What cannot work is refused, and the value named")
    func refused() {
        for (name, change) in Self.mistakes {
            var configuration = ConsumerConfiguration(group: "g")
            configuration.subscriptions = ["T": "*"]
            #expect(throws: Never.self) { try configuration.validate() }
            change(&configuration)
            let error = #expect(throws: MQClientError.self) { try configuration.validate() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(name) == true)
        }
    }

    @Test("A consumer runs once, and a client has one consumer of a group")
    func once() async throws {
        let client = MQClient(MQClientConfiguration(nameServers: nil))
        var configuration = ConsumerConfiguration(group: "g")
        configuration.subscriptions = ["T": "*"]
        let first = try PushConsumer(client, configuration) { _ in }
        let second = try PushConsumer(client, configuration) { _ in }
        let running = Task { try await first.run() }
        await poll { client.presence.groups.withLock { $0.consumers["g"] != nil } }
        let error = await #expect(throws: MQClientError.self) { try await second.run() }
        #expect(error?.code == .groupInUse)
        running.cancel()
        try await running.value
        let again = await #expect(throws: MQClientError.self) { try await first.run() }
        #expect(again?.code == .closed)
        await client.shutdown()
    }
}
