import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix

/// Topics as operators manage them (broker.md 4.6).
enum TopicRequests {
    /// 17. Answered once it is written and the name servers were told: who created a topic looks for its route next.
    static func update(_ context: RequestContext) throws(RequestError) -> Outcome {
        let config = try topicConfig(context)
        try check(config.topicName, context.broker)
        context.broker.topics.update(config)
        return announced(context)
    }

    private static func topicConfig(_ context: RequestContext) throws(RequestError) -> TopicConfig {
        let name = try context.text("topic")
        let reads = try context.integer("readQueueNums")
        let writes = try context.integer("writeQueueNums")
        let permission = try context.integer("perm")
        guard Topic.queueCounts.contains(reads), Topic.queueCounts.contains(writes) else {
            throw RequestError(.systemError, "queue counts must be from 0 to \(Topic.queueCounts.upperBound)")
        }
        guard (0...15).contains(permission) else {
            throw RequestError(
                .systemError, "perm=\(permission): it must be a sum of 4 (read), 2 (write) and 1 (inherit)")
        }
        let filterName = context.optionalText("topicFilterType") ?? TopicConfig.FilterType.singleTag.rawValue
        guard let filter = TopicConfig.FilterType(rawValue: filterName) else {
            throw RequestError(.systemError, "topicFilterType must be SINGLE_TAG or MULTI_TAG")
        }
        return TopicConfig(
            topicName: name, readQueueNums: reads, writeQueueNums: writes, perm: permission, topicFilterType: filter,
            topicSysFlag: context.frame.fields.int32("topicSysFlag") ?? 0
        )
    }

    /// 215. The consumers' offsets on the topic go too: one of the same name starts at 0 again, and an old offset
    /// beyond its end would skip its messages.
    static func delete(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("topic")
        let broker = context.broker
        try check(name, broker)
        broker.topics.beginDeletion(of: name)
        broker.topics.delete(name)
        broker.offsets.remove(topic: name)
        broker.statistics.remove(topic: name)
        let eventLoop = context.connection.eventLoop
        let written = broker.topics.persisted(on: eventLoop).flatMap {
            broker.readThreads.runIfActive(eventLoop: eventLoop) { try broker.store.deleteQueues(ofTopic: name) }
        }
        written.whenComplete { _ in broker.topics.endDeletion(of: name) }
        return context.after(written)
    }

    private static func check(_ name: String, _ broker: Broker) throws(RequestError) {
        if let remark = TopicName.remark(refusing: name) { throw RequestError(.systemError, remark) }
        let configuration = broker.settings.configuration
        let isSystem = SystemTopic.contains(name, cluster: configuration.clusterName, broker: configuration.brokerName)
        if isSystem || name == configuration.topics.traceTopicName {
            throw RequestError(.systemError, TopicName.conflictRemark(name))
        }
    }

    private static func announced(_ context: RequestContext) -> Outcome {
        let topics = context.broker.topics
        let eventLoop = context.connection.eventLoop
        return context.after(topics.persisted(on: eventLoop).flatMap { topics.announced(on: eventLoop) })
    }

    /// 21
    static func all(_ context: RequestContext) throws(RequestError) -> Outcome {
        .reply(Reply(body: context.broker.topics.contents.encode()))
    }

    /// 351, which 5.x tools ask instead of 21.
    static func one(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("topic")
        guard let topic = context.broker.topics.find(name) else {
            throw RequestError(.topicNotExist, "No topic in this broker. topic: \(name)")
        }
        return .reply(Reply(body: topic.config.encode()))
    }

    /// 202
    static func statistics(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("topic")
        guard let topic = context.broker.topics.find(name) else {
            throw RequestError(.topicNotExist, "topic[\(name)] not exist")
        }
        let brokerName = context.broker.settings.configuration.brokerName
        return context.onReadThread { broker in
            let entries = (0..<max(0, topic.config.writeQueueNums)).map { id in
                let maximum = broker.maximumOffset(name, id)
                let last = maximum > 0 ? broker.storeTime(name, id, at: maximum - 1) : nil
                return TopicStatsTable.Entry(
                    queue: MessageQueueKey(topic: name, brokerName: brokerName, queueID: id),
                    minimumOffset: QueueOffset(rawValue: broker.minimumOffset(name, id)),
                    maximumOffset: QueueOffset(rawValue: maximum), lastUpdate: last ?? .zero
                )
            }
            return Reply(body: TopicStatsTable(entries: entries).encode())
        }
    }

    /// 305
    static func systemTopics(_ context: RequestContext) throws(RequestError) -> Outcome {
        let configuration = context.broker.settings.configuration
        let names = context.broker.topics.all().map(\.name).filter {
            SystemTopic.contains($0, cluster: configuration.clusterName, broker: configuration.brokerName)
        }
        let all = Set(names + [SystemTopic.opHalf, SystemTopic.transactionCheckMaximum, SystemTopic.trace])
        return .reply(Reply(body: TopicList(topicList: all.sorted()).encode()))
    }
}
