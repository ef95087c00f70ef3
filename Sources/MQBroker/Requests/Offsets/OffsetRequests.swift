import MQProtocol
import MQRemoting
import MQStore

/// Consumer offsets and the offsets of queues (broker.md 10).
enum OffsetRequests {
    /// 14. Without a stored offset a group starts at 0 while the topic's first message is still at hand; else the
    /// client's own rule decides.
    static func query(_ context: RequestContext) throws(RequestError) -> Outcome {
        let group = try context.text("consumerGroup")
        let topic = try context.text("topic")
        let queueID = try context.integer("queueId")
        let broker = context.broker
        if let offset = broker.offsets.offset(group: group, topic: topic, queueID: queueID), offset >= 0 {
            return reply(offset)
        }
        let isYoung = broker.store.existingQueue(topic, queueID).map {
            broker.store.minimumOffset(of: $0).rawValue <= 0 && !broker.store.isOnDisk($0, at: .zero)
        }
        guard isYoung ?? true else {
            throw RequestError(.queryNotFound, "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first")
        }
        return reply(0)
    }

    /// 15. As in RocketMQ neither topic nor group need exist, and a smaller offset replaces a larger one.
    static func update(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(UpdateConsumerOffsetHeader.self)
        let refusal = context.broker.offsets.commitByClient(
            group: header.consumerGroup, topic: header.topic, queueID: header.queueID,
            offset: header.commitOffset.rawValue
        )
        if let refusal { throw RequestError(.systemError, "the offset is not kept: \(refusal)") }
        return .success
    }

    /// 29
    static func search(_ context: RequestContext) throws(RequestError) -> Outcome {
        let (topic, queueID) = try queue(context)
        let time = Timestamp(milliseconds: try context.long("timestamp"))
        return context.onReadThread {
            Reply(
                header: OffsetResponseHeader(offset: QueueOffset(rawValue: $0.searchOffset(topic, queueID, at: time))))
        }
    }

    /// 30
    static func maximum(_ context: RequestContext) throws(RequestError) -> Outcome {
        let (topic, queueID) = try queue(context)
        return reply(context.broker.maximumOffset(topic, queueID))
    }

    /// 31
    static func minimum(_ context: RequestContext) throws(RequestError) -> Outcome {
        let (topic, queueID) = try queue(context)
        return reply(context.broker.minimumOffset(topic, queueID))
    }

    /// 32
    static func earliestStoreTime(_ context: RequestContext) throws(RequestError) -> Outcome {
        let (topic, queueID) = try queue(context)
        return context.onReadThread { broker in
            let time = broker.storeTime(topic, queueID, at: broker.minimumOffset(topic, queueID))
            return Reply(header: TimestampResponseHeader(timestamp: time ?? Timestamp(milliseconds: -1)))
        }
    }

    /// 43
    static func allConsumerOffsets(_ context: RequestContext) throws(RequestError) -> Outcome {
        .reply(Reply(body: context.broker.offsets.contents.encode()))
    }

    /// 45
    static func allDelayOffsets(_ context: RequestContext) throws(RequestError) -> Outcome {
        .reply(Reply(body: DelayOffsetsBody(offsets: context.broker.delays.levelOffsets()).encode()))
    }

    /// 308. Per queue the smallest offset of all groups on the topic, and the largest number where the compared group
    /// is behind even that. The groups of `filterGroups` are left out of the comparison; RocketMQ deletes their
    /// offsets on the way.
    static func correction(_ context: RequestContext) throws(RequestError) -> Outcome {
        let topic = try context.text("topic")
        let compared = try context.text("compareGroup")
        let filtered = Set((context.optionalText("filterGroups") ?? "").split(separator: ",").map(String.init))
        let broker = context.broker
        var smallest: [Int32: Int64] = [:]
        for group in broker.offsets.groups(of: topic) where !filtered.contains(group) {
            for (queueID, offset) in broker.offsets.offsets(group: group, topic: topic)
            where offset >= broker.minimumOffset(topic, queueID) {
                smallest[queueID] = min(smallest[queueID] ?? .max, offset)
            }
        }
        for (queueID, offset) in broker.offsets.offsets(group: compared, topic: topic) {
            guard let other = smallest[queueID], other > offset else { continue }
            smallest[queueID] = .max
        }
        return .reply(Reply(body: CorrectionOffsetsBody(offsets: smallest).encode()))
    }

    /// 314. Without a topic every topic of the source is copied.
    static func clone(_ context: RequestContext) throws(RequestError) -> Outcome {
        let source = try context.text("srcGroup")
        let destination = try context.text("destGroup")
        if let remark = GroupName.remark(refusing: destination) { throw RequestError(.systemError, remark) }
        let broker = context.broker
        let topics = context.optionalText("topic").map { [$0] } ?? broker.offsets.topics(of: source)
        let online = context.flag("offline") ? nil : broker.clients.consumerGroup(source)
        for topic in topics where online?.mayConsume(topic) ?? true {
            broker.offsets.clone(from: source, to: destination, topic: topic)
        }
        return context.after(broker.offsets.persisted(on: context.connection.eventLoop))
    }

    private static func queue(_ context: RequestContext) throws(RequestError) -> (topic: String, queueID: Int32) {
        (try context.text("topic"), try context.integer("queueId"))
    }

    private static func reply(_ offset: Int64) -> Outcome {
        .reply(Reply(header: OffsetResponseHeader(offset: QueueOffset(rawValue: offset))))
    }
}

extension ConsumerGroupView {
    /// Whether the group subscribes to the topic; a group without any subscription has not said so yet.
    func mayConsume(_ topic: String) -> Bool {
        subscriptions.isEmpty || subscriptions.contains { $0.topic == topic }
    }
}
