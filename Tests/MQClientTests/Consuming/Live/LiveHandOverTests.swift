import MQProtocol
import NIOCore
import Synchronization
import Testing

@testable import MQClient

/// Members that come and go, tools that intervene, brokers that restart.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LiveHandOverTests {
    @Test("Two members share the queues; when one leaves cleanly the other has its queues in under a second")
    func leaving() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            let deliveries = Deliveries()
            let (one, two) = try await pair(cluster, deliveries)
            try await one.stop()
            let began = ContinuousClock.now
            try await cluster.send(4, to: "T", prefix: "after ")
            await deliveries.wait { all in all.count { $0.message.text.hasPrefix("after") } == 4 }
            let took = ContinuousClock.now - began
            print("hand-over of an orderly queue after a clean leave: \(took)")
            #expect(took < .seconds(1))
            try await two.stop()
            #expect(deliveries.all.filter { $0.message.text.hasPrefix("after") }.allSatisfy { $0.consumer == "two" })
            #expect(Set(deliveries.texts).count == deliveries.texts.count)
        }
    }

    @Test("When a member is killed the other takes its queues and repeats what was not stored, in order")
    func killed() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            let deliveries = Deliveries()
            let (one, two) = try await pair(cluster, deliveries)
            try await cluster.send(100, to: "T", prefix: "before ")
            await deliveries.wait { all in Set(all.map(\.message.text)).count == 104 }
            await one.kill()
            try await cluster.send(100, to: "T", prefix: "after ")
            await deliveries.wait { all in Set(all.map(\.message.text)).count == 204 }
            try await two.stop()
            for name in ["one", "two"] {
                expectInOrder(deliveries.all.filter { $0.consumer == name }, count: nil)
            }
            try await expectFinished(cluster, "T")
        }
    }

    /// Two orderly members that have two queues each; four messages have been delivered.
    private func pair(
        _ cluster: LiveCluster, _ deliveries: Deliveries
    ) async throws -> (LiveConsumer, LiveConsumer) {
        func start(_ name: String) throws -> LiveConsumer {
            try cluster.consume("T", as: name, into: deliveries) {
                $0.order = .orderly
                $0.batchSize = 8
            }
        }
        let one = try start("one")
        await poll { one.consumer.statistics.queuesHeld >= 4 }
        let two = try start("two")
        await poll {
            // The retry topic's one queue is the first member's.
            one.consumer.statistics.queuesHeld == 3 && two.consumer.statistics.queuesHeld == 2
        }
        try await cluster.send(4, to: "T", prefix: "first ")
        await deliveries.wait(forCount: 4)
        return (one, two)
    }

    @Test("A drain lets running handlers finish, hands out nothing more, and stores what they did")
    func drain() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            try await cluster.send(50, to: "T")
            let deliveries = Deliveries()
            let gate = Gate()
            let live = try cluster.consume(
                "T", into: deliveries, { $0.concurrency = 2 },
                outcomes: { messages, _ in
                    await gate.pass()
                    return messages.map { _ in .consumed }
                })
            await deliveries.wait(forCount: 2)
            async let stopped: Void = live.stop()
            await poll { live.consumer.statistics.cached > 0 }
            gate.open()
            try await stopped
            let handled = deliveries.all.count
            #expect(live.consumer.statistics.consumed == handled)
            let again = Deliveries()
            let next = try cluster.consume("T", into: again)
            await again.wait(forCount: 50 - handled)
            try await next.stop()
            #expect(Set(deliveries.texts).isDisjoint(with: again.texts))
        }
    }

    @Test("A handler that does not finish in the drain time is cancelled and its message comes again")
    func drainTimeout() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 1)
            try await cluster.send(1, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume(
                "T", into: deliveries, { $0.drainTimeout = .milliseconds(20) },
                outcomes: { _, _ in
                    // Only a cancellation ends it.
                    await Signal().wait()
                    return [.suspend(.seconds(1))]
                })
            await deliveries.wait(forCount: 1)
            live.consumer.suspend()
            try await live.stop()
            let again = Deliveries()
            let next = try cluster.consume("T", into: again)
            await again.wait(forCount: 1)
            try await next.stop()
        }
    }

    @Test("A consumer that starts again gets only what is new")
    func restart() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            for round in 0..<3 {
                let deliveries = Deliveries()
                try await cluster.send(100, to: "T", prefix: "\(round) ")
                let live = try cluster.consume("T", into: deliveries) { $0.order = round == 1 ? .orderly : .concurrent }
                await deliveries.wait(forCount: 100)
                try await live.stop()
                #expect(Set(deliveries.texts) == Set((0..<100).map { "\(round) \($0)" }))
            }
        }
    }

    @Test(
        "However much waits, a slow handler keeps no more than the limits allow, of a queue or of all together",
        arguments: [ConsumeOrder.concurrent, .orderly], [true, false])
    func flowControl(order: ConsumeOrder, limitsQueue: Bool) async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 2)
            try await cluster.send(6000, to: "T")
            let deliveries = Deliveries()
            let held = Mutex<LiveConsumer?>(nil)
            let most = Mutex(0)
            let live = try cluster.consume(
                "T", into: deliveries,
                {
                    $0.order = order
                    if limitsQueue { $0.pullThresholdForQueue = 100 } else { $0.pullThresholdForTopic = 200 }
                    $0.batchSize = 4
                },
                outcomes: { messages, _ in
                    let cached = held.withLock { $0?.consumer.statistics.cached } ?? 0
                    most.withLock { $0 = max($0, cached) }
                    return messages.map { _ in .consumed }
                })
            held.withLock { $0 = live }
            await deliveries.wait(forCount: 6000)
            try await live.stop()
            held.withLock { $0 = nil }
            print("most messages cached with a limit of 200 for 2 queues: \(most.withLock { $0 })")
            #expect(most.withLock { $0 } <= 2 * (100 + 32))
            #expect(Set(deliveries.texts).count == 6000)
            #expect(deliveries.all.allSatisfy { $0.message.queueRange?.contains($0.message.queueOffset) == true })
        }
    }

    @Test("A reset moves running consumers, backwards and forwards", arguments: [ConsumeOrder.concurrent, .orderly])
    func reset(order: ConsumeOrder) async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 2)
            try await cluster.send(20, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume("T", into: deliveries) { $0.order = order }
            await deliveries.wait(forCount: 20)
            let tool = try cluster.client()
            // The broker knows what to reset once it was told how far the group is.
            await pollThrowing {
                try await tool.consumerProgress(group: "group-of-T", topic: "T").queues.values
                    .allSatisfy { $0.consumerOffset == 10 }
            }
            let moved = try await tool.resetOffsets(
                group: "group-of-T", topic: "T", to: Timestamp(milliseconds: 1), force: true)
            guard case .byBrokers = moved else {
                Issue.record("the broker did not find the consumer")
                return
            }
            await deliveries.wait(forCount: 40)
            try await live.stop()
            #expect(Set(deliveries.texts.suffix(20)).count == 20)
            await tool.shutdown()
            try await expectFinished(cluster, "T")
        }
    }

    @Test("A broker that restarts under consumption loses nothing", arguments: [ConsumeOrder.concurrent, .orderly])
    func brokerRestart(order: ConsumeOrder) async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            try await cluster.send(2000, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume("T", into: deliveries) {
                $0.order = order
                $0.pullThresholdForQueue = 50
            }
            await deliveries.wait(forCount: 300)
            await cluster.stopBroker()
            try await cluster.startBroker()
            await deliveries.wait { all in Set(all.map(\.message.text)).count == 2000 }
            try await cluster.send(100, to: "T", prefix: "new ")
            await deliveries.wait { all in Set(all.map(\.message.text)).count == 2100 }
            try await live.stop()
            if order == .orderly { expectInOrder(deliveries.all, count: nil) }
            try await expectFinished(cluster, "T")
        }
    }

    @Test("Tools can look inside a consumer and have it consume a message")
    func tools() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 2)
            try await cluster.send(10, to: "T")
            let deliveries = Deliveries()
            let live = try cluster.consume("T", as: "me@1", into: deliveries)
            await deliveries.wait(forCount: 10)
            let tool = try cluster.client()
            let owners = await tool.queueOwners(group: "group-of-T")
            #expect(owners.filter { $0.key.topic == "T" }.map(\.value) == ["me@1", "me@1"])
            var message = deliveries.all[3].message
            // A broker on a port that the system chose does not know it.
            message.storeAddress = try #require(HostAddress(cluster.brokerAddress))
            let result = try await tool.consumeDirectly(message, group: "group-of-T", clientID: "me@1")
            #expect(result.contains("CR_SUCCESS"))
            #expect(deliveries.texts.count == 11 && deliveries.texts[10] == deliveries.texts[3])
            await tool.shutdown()
            try await live.stop()
        }
    }

    @Test("Consumers come and go without leaving anything behind")
    func cycles() async throws {
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T", queues: 2)
            for round in 0..<20 {
                let deliveries = Deliveries()
                try await cluster.send(2, to: "T", prefix: "\(round) ")
                let live = try cluster.consume("T", into: deliveries)
                await deliveries.wait(forCount: 2)
                try await live.stop()
                #expect(live.consumer.statistics.queuesHeld == 0)
            }
        }
    }
}
