import MQClient
import MQProtocol
import TestSupport

/// A member of each group, which handles what it is given as its number says.
struct Consumers: Sendable {
    var client: MQClient
    var journal: Journal

    /// What handling one message takes: enough that there is always something pulled and not handled.
    private static let work = Duration.milliseconds(1)
    /// The broker's first delay level, 1 s.
    private static let retryLevel: Int32 = 1
    private static let suspension = Duration.milliseconds(20)

    /// Consumes until cancelled.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { tasks in
            for group in ConsumerGroup.allCases {
                let consumer = try PushConsumer(client, configuration(group)) { [self] messages, queue in
                    var outcomes: [ConsumeOutcome] = []
                    for message in messages { outcomes.append(await handle(message, from: queue, in: group)) }
                    return outcomes
                }
                tasks.addTask { try await consumer.run() }
            }
        }
    }

    private func configuration(_ group: ConsumerGroup) -> ConsumerConfiguration {
        var configuration = ConsumerConfiguration(group: group.rawValue)
        for topic in group.topics { configuration.subscriptions[topic] = "*" }
        configuration.order = group == .ordered ? .orderly : .concurrent
        configuration.start = .firstOffset
        configuration.concurrency = 4
        configuration.maximumReconsumeTimes = ConsumerGroup.maximumRetries
        // With asynchronous flush the power takes messages that were consumed, and others get their places.
        configuration.lostEndHorizon = .seconds(24 * 3600)
        return configuration
    }

    private func handle(
        _ message: ReceivedMessage, from queue: MessageQueue, in group: ConsumerGroup
    ) async -> ConsumeOutcome {
        let isRetry = queue.topic == group.retryTopic
        let place = isRetry ? nil : Place(queue: QueueName(queue), offset: message.queueOffset)
        guard let number = Payload.number(in: message.body), message.body == Payload.body(number),
            let result = journal.deliver(number, to: group, at: place, attempt: message.reconsumeTimes)
        else {
            journal.noteForeign("\(message.messageID) of \(queue)", to: group)
            return .consumed
        }
        try? await TimeSource.system.sleep(for: Self.work)
        journal.settle(number, result, identity: message.messageID, in: group)
        switch (result, group) {
        case (.handled, _): return .consumed
        case (.failed, .stock), (.givenUp, .stock): return .retryLater(level: Self.retryLevel)
        case (.failed, .ordered): return .suspend(Self.suspension)
        case (.givenUp, .ordered): return .deadLetter
        }
    }
}
