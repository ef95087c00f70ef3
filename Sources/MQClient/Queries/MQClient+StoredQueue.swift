import MQProtocol
import NIOCore

extension MQClient {
    /// Entries asked for at once.
    private static let entriesAtOnce: Int32 = 100

    /// The offsets that a queue has messages at, for queues that ``forEachStoredMessage(of:routed:in:_:)`` is for.
    ///
    /// - Parameter topic: one in whose route the broker is; the queue's own has none.
    package func storedOffsets(
        of queue: MessageQueue, routed topic: String
    ) async throws(MQClientError) -> Range<Int64> {
        let address = try await readableAddress(ofBroker: queue.brokerName, in: topic)
        let minimum = try await limit(.getMinOffset, of: queue, at: address)
        return minimum..<max(minimum, try await limit(.getMaxOffset, of: queue, at: address))
    }

    /// Reads a part of a queue through its entries, with a request for each message.
    ///
    /// For queues that nobody can pull from because the broker's configuration does not list their topic. RocketMQ
    /// keeps the verdicts on half messages in such a one.
    ///
    /// - Parameter topic: one in whose route the broker is; the queue's own has none.
    package func forEachStoredMessage(
        of queue: MessageQueue, routed topic: String, in offsets: Range<Int64>, _ body: (ReceivedMessage) -> Void
    ) async throws(MQClientError) {
        let address = try await readableAddress(ofBroker: queue.brokerName, in: topic)
        var index = offsets.lowerBound
        while index < offsets.upperBound {
            let entries = try await entries(of: queue, from: index, at: address)
            guard !entries.isEmpty else { return }
            for entry in entries {
                body(try await message(at: entry.physicalOffset, of: address, brokerName: queue.brokerName))
            }
            index += Int64(entries.count)
        }
    }

    private func limit(
        _ code: RequestCode, of queue: MessageQueue, at address: String
    ) async throws(MQClientError) -> Int64 {
        let header = QueueHeader(topic: queue.topic, queueID: queue.queueID)
        return try await successfulRequest(to: address, code, header: header).fields.int64("offset") ?? 0
    }

    /// None when the queue does not reach that far: RocketMQ answers then without a body.
    private func entries(
        of queue: MessageQueue, from index: Int64, at address: String
    ) async throws(MQClientError) -> [QueryConsumeQueueBody.Entry] {
        let header = QueryConsumeQueueHeader(
            topic: queue.topic, queueID: queue.queueID, index: QueueOffset(rawValue: index),
            count: Self.entriesAtOnce)
        let answer = try await successfulRequest(to: address, .queryConsumeQueue, header: header)
        guard answer.body.readableBytes > 0 else { return [] }
        return try QueryConsumeQueueBody.decode(answer.body, "queue entries", from: address).entries
    }
}
