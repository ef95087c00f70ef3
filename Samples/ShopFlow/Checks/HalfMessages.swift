import GRDB
import MQClient
import MQProtocol
import NIOCore

/// Half messages of a store without a verdict, read from the brokers' own topics.
///
/// Those hold the transactions of everybody, for days: a store remembers where they ended when it was made, and nothing
/// before that is read.
struct HalfMessages: Sendable {
    let namespace: String
    /// One for each broker.
    let beginnings: [HalfBeginning]
    let client: MQClient

    /// Of a store, before anything is published from it.
    static func of(_ store: Store, at brokers: [String], _ client: MQClient) async throws -> HalfMessages {
        if !store.isResumed {
            for broker in brokers {
                let half = try await offsets(of: halfQueue(broker), client).all.upperBound
                let verdict = try await offsets(of: verdictQueue(broker), client).all.upperBound
                let beginning = HalfBeginning(broker: broker, half: half, verdict: verdict)
                try await store.flow.write { try beginning.insert($0) }
            }
        }
        let known = try await store.flow.read { try HalfBeginning.read($0) }
        return HalfMessages(
            namespace: store.settings.namespace,
            beginnings: brokers.map { known[$0] ?? HalfBeginning(broker: $0) }, client: client)
    }

    var brokers: [String] { beginnings.map(\.broker) }

    func undecided() async throws -> [String] {
        var undecided: [String] = []
        for beginning in beginnings { undecided += try await self.undecided(beginning) }
        return undecided
    }

    private func undecided(_ beginning: HalfBeginning) async throws -> [String] {
        // Verdicts first: a half that is read later and has none was undecided in between.
        var decided: Set<Int64> = []
        try await forEachMessage(of: Self.verdictQueue(beginning.broker), from: beginning.verdict) { message in
            for offset in message.text.split(separator: ",") {
                if let offset = Int64(offset) { decided.insert(offset) }
            }
        }
        // A half may have been copied to the end of its queue: one verdict on any copy is enough.
        var halves: [String: Bool] = [:]
        try await forEachMessage(of: Self.halfQueue(beginning.broker), from: beginning.half) { message in
            guard message.properties[PropertyName.realTopic]?.hasPrefix("\(namespace)%") ?? false else { return }
            halves[message.messageID] = halves[message.messageID] ?? false || decided.contains(message.queueOffset)
        }
        return halves.filter { !$0.value }.keys.sorted()
    }

    // MARK: Queues

    private static func halfQueue(_ broker: String) -> MessageQueue {
        MessageQueue(topic: SystemTopic.half, brokerName: broker, queueID: 0)
    }

    private static func verdictQueue(_ broker: String) -> MessageQueue {
        MessageQueue(topic: SystemTopic.opHalf, brokerName: broker, queueID: 0)
    }

    private func forEachMessage(
        of queue: MessageQueue, from beginning: Int64, _ body: (ReceivedMessage) -> Void
    ) async throws {
        let (all, isListed) = try await Self.offsets(of: queue, client)
        // A queue that ends before is another one: the broker has lost its files.
        let begin = beginning > all.upperBound ? all.lowerBound : max(beginning, all.lowerBound)
        if isListed {
            try await Topics.forEachMessage(of: queue, in: begin..<all.upperBound, client, body)
        } else {
            try await client.forEachStoredMessage(
                of: queue, routed: SystemTopic.half, in: begin..<all.upperBound, body)
        }
    }

    /// - Returns: also whether it can be pulled from. RocketMQ lists the topic of the verdicts nowhere: it is read
    ///   entry by entry there.
    private static func offsets(
        of queue: MessageQueue, _ client: MQClient
    ) async throws -> (all: Range<Int64>, isListed: Bool) {
        do {
            return (try await Topics.offsets(of: queue, client), true)
        } catch let error as MQClientError
            where error.code == .topicNotFound || error.responseCode == ResponseCode.topicNotExist.rawValue
        {
            return (try await client.storedOffsets(of: queue, routed: SystemTopic.half), false)
        }
    }
}
