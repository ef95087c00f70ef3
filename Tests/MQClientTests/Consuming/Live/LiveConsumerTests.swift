import MQClient
import MQProtocol
import NIOCore
import Synchronization
import Testing

/// Consumers against a broker and a name server of ours.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LiveConsumerTests {
    @Test("Concurrent: every message once, and the offsets are stored at the end")
    func concurrent() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            try await cluster.send(1000, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume("T", into: deliveries)
            await deliveries.wait(forCount: 1000)
            try await live.stop()
            #expect(deliveries.texts.compactMap { Int($0) }.sorted() == Array(0..<1000))
            let statistics = live.consumer.statistics
            #expect(statistics.pulled == 1000 && statistics.consumed == 1000)
            #expect(statistics.cached == 0 && statistics.queuesHeld == 0)
            try await expectFinished(cluster, "T")
        }
    }

    @Test("Orderly: batches of one queue, in order, never two at once")
    func orderly() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            try await cluster.send(1000, to: "T")
            let deliveries = Deliveries()
            let busy = Mutex<Set<MessageQueue>>([])
            let live = try cluster.consume(
                "T", into: deliveries,
                {
                    $0.order = .orderly
                    $0.batchSize = 16
                },
                outcomes: { messages, queue in
                    #expect(messages.count <= 16)
                    #expect(messages.allSatisfy { $0.queueID == queue.queueID })
                    #expect(busy.withLock { $0.insert(queue).inserted })
                    await Task.yield()
                    _ = busy.withLock { $0.remove(queue) }
                    return messages.map { _ in .consumed }
                })
            await deliveries.wait(forCount: 1000)
            try await live.stop()
            expectInOrder(deliveries.all, count: 1000)
            try await expectFinished(cluster, "T")
        }
    }

    @Test("An orderly message that is suspended comes again before those behind it, with its attempts")
    func suspended() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            try await cluster.send(6, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume(
                "T", into: deliveries,
                {
                    $0.order = .orderly
                    $0.batchSize = 4
                },
                outcomes: { messages, _ in
                    messages.map { $0.text == "2" && $0.reconsumeTimes < 2 ? .suspend(.milliseconds(10)) : .consumed }
                })
            await deliveries.wait { all in all.count { $0.message.text == "2" } == 3 }
            await deliveries.wait { $0.last?.message.text == "5" }
            try await live.stop()
            let seen = deliveries.all.filter { $0.message.text == "2" }.map(\.message.reconsumeTimes)
            #expect(seen == [0, 1, 2])
            let firsts = deliveries.texts.enumerated().filter { index, text in
                deliveries.texts.firstIndex(of: text) == index
            }
            #expect(firsts.map(\.element) == ["0", "1", "2", "3", "4", "5"])
            #expect(live.consumer.statistics.suspended == 2)
            try await expectFinished(cluster, "T")
        }
    }

    @Test("A message that fails comes back through the retry topic under its own, then is a dead letter")
    func deadLetter() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            try await cluster.send(2, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume(
                "T", into: deliveries, { $0.maximumReconsumeTimes = 1 },
                outcomes: { messages, _ in messages.map { $0.text == "0" ? .retryLater() : .consumed } })
            await deliveries.wait { all in all.count { $0.message.text == "0" } == 2 }
            try await live.stop()
            let failed = deliveries.all.filter { $0.message.text == "0" }
            #expect(failed.map(\.message.topic) == ["T", "T"])
            #expect(failed.map(\.queue.topic) == ["T", "%RETRY%group-of-T"])
            #expect(failed.map(\.message.reconsumeTimes) == [0, 1])
            #expect(Set(failed.map(\.message.messageID)).count == 1)
            #expect(try await deadLetters(cluster, "T") == ["0"])
        }
    }

    @Test(
        "A message given up is a dead letter at once, in both orders", arguments: [ConsumeOrder.concurrent, .orderly])
    func givenUp(order: ConsumeOrder) async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            try await cluster.send(3, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume(
                "T", into: deliveries, { $0.order = order },
                outcomes: { messages, _ in messages.map { $0.text == "1" ? .deadLetter : .consumed } })
            await deliveries.wait(forCount: 3)
            try await live.stop()
            #expect(try await deadLetters(cluster, "T") == ["1"])
            #expect(live.consumer.statistics.deadLetters == 1)
            try await expectFinished(cluster, "T")
        }
    }

    @Test("A handler that throws is asked again and never stops the consumption")
    func throwing() async throws {
        struct Failure: Error {}
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            try await cluster.send(40, to: "T")
            let deliveries = Deliveries()
            let client = try cluster.client()
            var configuration = ConsumerConfiguration(group: "g")
            configuration.subscriptions = ["T": "*"]
            configuration.start = .firstOffset
            let consumer = try PushConsumer(client, configuration) { message in
                deliveries.add([message], MessageQueue(topic: "T", brokerName: "a", queueID: 0))
                if message.reconsumeTimes == 0 { throw Failure() }
            }
            let live = LiveConsumer(consumer, of: client)
            await deliveries.wait(forCount: 80)
            try await live.stop()
            let again = deliveries.all.filter { $0.message.reconsumeTimes == 1 }.compactMap { Int($0.message.text) }
            #expect(again.sorted() == Array(0..<40))
        }
    }

    @Test("Only subscribed tags arrive, and the others do not hold up the offset")
    func tags() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            // The hashes of Aa and BB are equal.
            for (number, tag) in ["Aa", "BB", "x", "BB", "Aa"].enumerated() {
                try await cluster.send(1, to: "T", from: number, tag: tag)
            }
            let deliveries = Deliveries()
            let live = try cluster.consume("T", into: deliveries, { $0.subscriptions = ["T": "Aa || y"] })
            await deliveries.wait(forCount: 2)
            try await live.stop()
            #expect(deliveries.texts.sorted() == ["0", "4"])
            try await expectFinished(cluster, "T")
        }
    }

    @Test("Broadcasting: everybody gets everything, and goes on after a restart where it was")
    func broadcasting() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            let folder = try TemporaryFolder()
            let deliveries = Deliveries()
            func start(_ name: String) throws -> LiveConsumer {
                try cluster.consume("T", as: name, into: deliveries) {
                    $0.model = .broadcasting
                    $0.offsetDirectory = folder.path
                }
            }
            try await cluster.send(100, to: "T")
            let one = try start("one")
            let two = try start("two")
            await deliveries.wait(forCount: 200)
            try await one.stop()
            try await cluster.send(10, to: "T", prefix: "later ")
            await deliveries.wait { Set($0.filter { $0.consumer == "two" }.map(\.message.text)).count == 110 }
            let again = try start("one")
            await deliveries.wait { Set($0.filter { $0.consumer == "one" }.map(\.message.text)).count == 110 }
            try await again.stop()
            try await two.stop()
            #expect(deliveries.all.count { $0.consumer == "two" } == 110)
            // What was being handled when the first one was stopped comes again, no more than it handles at a time.
            let repeated = deliveries.all.count { $0.consumer == "one" } - 110
            #expect(repeated <= 20, "it goes on where it was")
        }
    }

    @Test("The offset behind a broker's last message is corrected to it, not to the first")
    func correction() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            try await cluster.send(5, to: "T")
            let client = try cluster.client()
            let queue = MessageQueue(topic: "T", brokerName: "a", queueID: 0)
            try await client.setConsumerOffset(1000, of: queue, group: "group-of-T")
            let deliveries = Deliveries()
            let live = try cluster.consume("T", into: deliveries)
            await poll { live.consumer.statistics.offsetCorrections == 1 }
            try await cluster.send(1, to: "T", prefix: "new ")
            await deliveries.wait(forCount: 1)
            try await live.stop()
            #expect(deliveries.texts == ["new 0"])
            #expect(try await client.consumerOffset(of: queue, group: "group-of-T") == 6)
            await client.shutdown()
        }
    }

    @Test("A consumer that refuses its group's members gives up and says why")
    func refusal() async throws {
        struct Stranger: Error {}
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            try await cluster.send(10, to: "T")
            let deliveries = Deliveries()
            let first = try cluster.consume("T", as: "db1@1", into: deliveries)
            await deliveries.wait(forCount: 10)
            let second = try cluster.consume("T", as: "db2@1", into: deliveries) {
                $0.admitsMembers = { members in
                    if members.contains(where: { !$0.hasPrefix("db2") }) { throw Stranger() }
                }
            }
            let result = await second.end()
            #expect(throws: Stranger.self) { try result.get() }
            try await cluster.send(20, to: "T", prefix: "later ")
            await deliveries.wait(forCount: 30)
            try await first.stop()
            #expect(deliveries.all.allSatisfy { $0.consumer == "db1@1" })
        }
    }
}
