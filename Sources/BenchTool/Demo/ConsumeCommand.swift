import ArgumentParser
import Foundation
import Logging
import MQClient
import ServiceLifecycle
import Synchronization

struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Measure how fast a push consumer gets messages that wait in a broker of its own process.")

    @Option(help: "Messages that wait.")
    var messages = 500_000

    @Option(help: "Bytes of a body.")
    var bytes = 200

    @Option(help: "Queues of the topic.")
    var queues: Int32 = 4

    func run() async throws {
        try await DemoCluster.with { [self] cluster in
            try await cluster.client.createTopic(
                TopicConfiguration(name: "Consume", readQueues: queues, writeQueues: queues),
                onBroker: cluster.brokerAddress)
            try await fill(cluster.client)
            for (order, batchSize) in [(ConsumeOrder.orderly, 64), (.orderly, 1), (.concurrent, 64), (.concurrent, 1)] {
                let rate = try await measure(cluster, order, batchSize)
                print("\(order), \(batchSize) a call: \(Int(rate)) messages/s")
            }
        }
    }

    private func fill(_ client: MQClient) async throws {
        let body = String(repeating: "x", count: bytes)
        let batch = (0..<200).map { number in
            var message = Message(topic: "Consume", body: body)
            message.keys = ["order-\(number)"]
            message.properties = ["EVENT": "OrderPaid", "KEY": "order-\(number)"]
            return message
        }
        for _ in 0..<(messages / batch.count) { _ = try await client.send(batch) }
    }

    private func measure(_ cluster: DemoCluster, _ order: ConsumeOrder, _ batchSize: Int) async throws -> Double {
        var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(cluster.nameServer))
        configuration.logger.logLevel = .error
        let client = MQClient(configuration)
        var settings = ConsumerConfiguration(group: "bench-\(order)-\(batchSize)")
        settings.subscriptions = ["Consume": "*"]
        settings.start = .firstOffset
        settings.order = order
        settings.batchSize = batchSize
        let total = messages / 200 * 200
        let handled = Atomic(0)
        let (finished, finish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let consumer = try PushConsumer(client, settings) { messages, _ in
            if handled.add(messages.count, ordering: .relaxed).newValue >= total { finish.finish() }
            return [ConsumeOutcome](repeating: .consumed, count: messages.count)
        }
        let group = ServiceGroup(services: [client, consumer], logger: configuration.logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            let start = ContinuousClock.now
            tasks.addTask { try await group.run() }
            for await _ in finished {}
            let took = ContinuousClock.now - start
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            await client.shutdown()
            return Double(total) / (took / .seconds(1))
        }
    }
}
