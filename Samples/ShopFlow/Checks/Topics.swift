import MQClient
import MQProtocol

/// One message of a topic, as far as the checks need it.
struct TopicMessage: Sendable, Equatable {
    /// The name of its event.
    var event: String
    var idempotencyKey: String
    var queue: String
    var offset: Int64
}

/// Everything that was published, read from the broker and not from what anybody remembers.
struct Topics: Sendable {
    /// By topic without namespace; queue by queue, in the order of offsets.
    var messages: [String: [TopicMessage]] = [:]

    /// Messages asked for at once.
    private static let batch = 256

    /// Reads every message of a store's topics, without consuming any.
    ///
    /// - Parameter brokers: that have the topics. A name server that was just started knows of none, nor of topics.
    /// - Throws: ``FlowError/Code/brokerUnreachable`` while the name servers do not know all of them.
    static func read(
        _ names: Set<String>, namespace: String, at brokers: [String], _ client: MQClient
    ) async throws -> Topics {
        var topics = Topics()
        for name in names.sorted() {
            topics.messages[name] = try await read("\(namespace)%\(name)", at: brokers, client)
        }
        return topics
    }

    private static func read(
        _ topic: String, at brokers: [String], _ client: MQClient
    ) async throws -> [TopicMessage] {
        let queues: [MessageQueue]
        do {
            queues = try await client.subscribeQueues(topic)
        } catch {
            guard error.code == .topicNotFound else { throw error }
            let known = try await client.clusterTopology().brokersByName
            guard brokers.allSatisfy({ known[$0] != nil }) else {
                throw FlowError(.brokerUnreachable, "The name servers do not know all of \(brokers) again yet.")
            }
            // Nothing was ever published there.
            return []
        }
        var messages: [TopicMessage] = []
        for queue in queues.sorted() {
            try await forEachMessage(of: queue, in: try await offsets(of: queue, client), client) { message in
                messages.append(
                    TopicMessage(
                        event: message.tag ?? "",
                        idempotencyKey: message.properties[ProtocolExtension.idempotencyKey.name] ?? message.messageID,
                        queue: "\(queue.brokerName)/\(queue.queueID)", offset: message.queueOffset))
            }
        }
        return messages
    }

    /// Where a queue has messages now.
    static func offsets(of queue: MessageQueue, _ client: MQClient) async throws -> Range<Int64> {
        let minimum = try await client.minimumOffset(of: queue)
        return minimum..<max(minimum, try await client.maximumOffset(of: queue))
    }

    static func forEachMessage(
        of queue: MessageQueue, in offsets: Range<Int64>, _ client: MQClient, _ body: (ReceivedMessage) -> Void
    ) async throws {
        var offset = offsets.lowerBound
        while offset < offsets.upperBound {
            let result = try await client.pull(queue, from: offset, maximumCount: batch)
            result.messages.forEach(body)
            guard result.nextOffset > offset else {
                throw FlowError(
                    .brokerUnreachable, "\(queue) gives nothing from \(offset) on and ends at \(offsets.upperBound).")
            }
            offset = result.nextOffset
        }
    }
}
