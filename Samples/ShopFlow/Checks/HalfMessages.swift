import MQClient
import MQProtocol
import NIOCore

/// Half messages of a store without a verdict, read from the brokers' own topics.
enum HalfMessages {
    static func undecided(namespace: String, _ brokers: [String], _ client: MQClient) async throws -> [String] {
        var undecided: [String] = []
        for broker in brokers { undecided += try await self.undecided(namespace: namespace, broker, client) }
        return undecided
    }

    private static func undecided(
        namespace: String, _ broker: String, _ client: MQClient
    ) async throws -> [String] {
        let halfQueue = MessageQueue(topic: SystemTopic.half, brokerName: broker, queueID: 0)
        let opQueue = MessageQueue(topic: SystemTopic.opHalf, brokerName: broker, queueID: 0)
        // Verdicts first: a half that is read later and has none was undecided in between.
        var decided: Set<Int64> = []
        try await forEachMessage(of: opQueue, client) { message in
            for offset in message.text.split(separator: ",") {
                if let offset = Int64(offset) { decided.insert(offset) }
            }
        }
        // A half may have been copied to the end of its queue: one verdict on any copy is enough.
        var halves: [String: Bool] = [:]
        try await forEachMessage(of: halfQueue, client) { message in
            guard message.properties[PropertyName.realTopic]?.hasPrefix("\(namespace)%") ?? false else { return }
            halves[message.messageID] = halves[message.messageID] ?? false || decided.contains(message.queueOffset)
        }
        return halves.filter { !$0.value }.keys.sorted()
    }

    /// RocketMQ lists the topic of the verdicts nowhere: it is read entry by entry there.
    private static func forEachMessage(
        of queue: MessageQueue, _ client: MQClient, _ body: (ReceivedMessage) -> Void
    ) async throws {
        do {
            try await Topics.forEachMessage(of: queue, client, body)
        } catch let error as MQClientError
            where error.code == .topicNotFound || error.responseCode == ResponseCode.topicNotExist.rawValue
        {
            try await client.forEachStoredMessage(of: queue, routed: SystemTopic.half, body)
        }
    }
}
