import MQClient
import MQProtocol
import NIOCore
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(3))) struct LiveThroughputTests {
    @Test(
        "100,000 messages, orderly in batches of 64 and concurrent",
        arguments: [
            ConsumeOrder.orderly, .concurrent,
        ])
    func manyMessages(order: ConsumeOrder) async throws {
        let count = 100_000
        try await LiveCluster.with { cluster in
            try await cluster.createTopic("T")
            let sending = ContinuousClock.now
            try await cluster.send(count, to: "T", prefix: "a body of some sixty bytes, to be like the real ones ")
            let sent = ContinuousClock.now
            let client = try cluster.client()
            var configuration = ConsumerConfiguration(group: "g")
            configuration.subscriptions = ["T": "*"]
            configuration.start = .firstOffset
            configuration.order = order
            configuration.batchSize = order == .orderly ? 64 : 1
            let handled = Atomic(0)
            let all = Gate()
            let consumer = try PushConsumer(client, configuration) { messages, _ in
                let total = handled.add(messages.count, ordering: .relaxed).newValue
                if total >= count { all.open() }
                return [ConsumeOutcome](repeating: .consumed, count: messages.count)
            }
            let live = LiveConsumer(consumer, of: client)
            await all.pass()
            let done = ContinuousClock.now
            try await live.stop()
            #expect(consumer.statistics.consumed == count)
            print(
                "sent \(count) in \(sent - sending); consumed \(order) in \(done - sent): "
                    + "\(Int(Double(count) / ((done - sent) / .seconds(1)))) messages/s")
            try await expectFinished(cluster, "T", group: "g")
        }
    }
}
