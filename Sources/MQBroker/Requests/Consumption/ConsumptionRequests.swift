import MQProtocol
import MQStore

/// How far consumers are (broker.md 17).
enum ConsumptionRequests {
    /// 208
    static func statistics(_ context: RequestContext) throws(RequestError) -> Outcome {
        let group = try context.text("consumerGroup")
        let topic = context.optionalText("topic")
        return context.onReadThread { broker in
            let progress = ConsumptionProgress(broker: broker, group: group)
            return Reply(body: progress.statistics(topics: topic.map { [$0] }).encode())
        }
    }

    /// 300. Online subscribers, and groups with stored offsets.
    static func groups(_ context: RequestContext) throws(RequestError) -> Outcome {
        let topic = try context.text("topic")
        let broker = context.broker
        let groups = Set(broker.clients.consumerGroups(of: topic)).union(broker.offsets.groups(of: topic))
        return .reply(Reply(body: GroupList(groupList: groups.sorted()).encode()))
    }

    /// 303
    static func timeSpan(_ context: RequestContext) throws(RequestError) -> Outcome {
        let topic = try context.text("topic")
        let group = try context.text("group")
        guard let found = context.broker.topics.find(topic) else {
            throw RequestError(.topicNotExist, "topic[\(topic)] not exist")
        }
        let now = context.now
        let queueCount = found.config.writeQueueNums
        return context.onReadThread { broker in
            let progress = ConsumptionProgress(broker: broker, group: group)
            let spans = (0..<max(0, queueCount)).map { progress.timeSpan(topic: topic, queueID: $0, now: now) }
            return Reply(body: ConsumeTimeSpanBody(spans: spans).encode())
        }
    }

    /// 317
    static func allStatistics(_ context: RequestContext) throws(RequestError) -> Outcome {
        let onlyOrdered = context.flag("isOrder")
        return context.onReadThread { broker in
            var groups: [String: [ConsumeStats]] = [:]
            // In one pass over the offsets: a pass for each group would take minutes in a large table.
            let topics = broker.offsets.topicsByGroup()
            for group in broker.groups.all().map(\.groupName) {
                guard let names = topics[group] else { continue }
                let progress = ConsumptionProgress(broker: broker, group: group)
                let statistics = progress.topics(onlyOrdered: onlyOrdered, of: names).map {
                    progress.statistics(topics: [$0])
                }
                if !statistics.isEmpty { groups[group] = statistics }
            }
            let total = groups.values.joined().reduce(0) { $0 &+ $1.totalDifference }
            let body = ConsumeStatsList(brokerAddr: "\(broker.advertisedHost)", groups: groups, totalDiff: total)
            return Reply(body: body.encode())
        }
    }
}
