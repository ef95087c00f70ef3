import MQProtocol
import MQRemoting

/// Subscription groups as operators manage them (broker.md 4.7).
enum GroupRequests {
    /// 200. Answered once it is written.
    static func update(_ context: RequestContext) throws(RequestError) -> Outcome {
        let group = try context.body(SubscriptionGroupConfig.decode)
        // RocketMQ checks nothing here; but the name becomes a topic's, and that a directory's.
        if let remark = GroupName.remark(refusing: group.groupName) { throw RequestError(.systemError, remark) }
        guard Topic.queueCounts.contains(group.retryQueueNums) else {
            throw RequestError(.systemError, "retryQueueNums must be from 0 to \(Topic.queueCounts.upperBound)")
        }
        context.broker.groups.update(group)
        return context.after(context.broker.groups.persisted(on: context.connection.eventLoop))
    }

    /// 201
    static func all(_ context: RequestContext) throws(RequestError) -> Outcome {
        .reply(Reply(body: context.broker.groups.contents.encode()))
    }

    /// 207
    static func delete(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("groupName")
        let broker = context.broker
        broker.groups.delete(name)
        broker.statistics.remove(group: name)
        if context.flag("removeOffset") { broker.offsets.remove(group: name) }
        return context.after(broker.groups.persisted(on: context.connection.eventLoop))
    }
}
