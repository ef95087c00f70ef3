import Logging
import MQProtocol
import MQStore

/// Consume queues as operators see and clean them.
enum QueueRequests {
    /// The most entries of one answer.
    private static let maximumEntries: Int32 = 10_000

    /// 306
    static func deleteExpiredQueues(_ context: RequestContext) throws(RequestError) -> Outcome {
        context.onReadThread(isQuery: false) { broker in
            let count = try broker.store.deleteExpiredQueues()
            broker.logger.info("deleted \(count) consume queues without messages")
            return Reply()
        }
    }

    /// 316. Queues of topics that are not in the table go, except those that no table lists.
    static func deleteUnusedTopics(_ context: RequestContext) throws(RequestError) -> Outcome {
        context.onReadThread(isQuery: false) { broker in
            let count = try broker.store.deleteQueues { topic in
                broker.topics.find(topic) != nil || isKept(topic)
            }
            broker.logger.info("deleted \(count) consume queues of topics that are not configured")
            return Reply()
        }
    }

    private static func isKept(_ topic: String) -> Bool {
        topic == SystemTopic.schedule || topic == SystemTopic.opHalf || topic == SystemTopic.half
            || topic.hasPrefix(TopicName.lightQueuePrefix) || topic.hasPrefix(SystemTopic.prefix)
    }

    /// 329
    static func deleteExpiredLog(_ context: RequestContext) throws(RequestError) -> Outcome {
        context.broker.store.deleteExpiredLog()
        return .success
    }

    /// 321
    static func entries(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(QueryConsumeQueueHeader.self)
        guard header.queueID >= 0, let queue = context.broker.store.existingQueue(header.topic, header.queueID) else {
            throw RequestError(.systemError, "\(header.queueID)@\(header.topic) is not exist!")
        }
        let subscription = header.consumerGroup.flatMap {
            context.broker.clients.subscription(group: $0, topic: header.topic)
        }
        return context.onReadThread { broker in
            let count = Int(min(max(0, header.count), maximumEntries))
            let entries = try broker.store.entries(of: queue, from: header.index, count: count)
            let body = QueryConsumeQueueBody(
                subscription: subscription?.data, filterData: header.consumerGroup == nil ? nil : "null",
                entries: entries.map { shown($0, subscription?.filter) },
                minimumIndex: max(0, broker.store.minimumOffset(of: queue).rawValue),
                maximumIndex: broker.store.maximumOffset(of: queue).rawValue
            )
            return Reply(body: body.encode())
        }
    }

    private static func shown(_ entry: QueueEntry, _ filter: TagFilter?) -> QueryConsumeQueueBody.Entry {
        QueryConsumeQueueBody.Entry(
            physicalOffset: entry.logOffset, physicalSize: entry.size, tagsCode: entry.tagsCode,
            matches: filter?.matches(tagsCode: entry.tagsCode) ?? false
        )
    }
}
