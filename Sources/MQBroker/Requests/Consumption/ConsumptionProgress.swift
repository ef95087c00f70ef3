import MQProtocol
import MQStore

/// One group's place on its topics. Reads store times, so it may wait for the disk.
struct ConsumptionProgress {
    let broker: Broker
    let group: String

    /// The topics on which the group has offsets.
    func topics(onlyOrdered: Bool) -> [String] {
        topics(onlyOrdered: onlyOrdered, of: broker.offsets.topics(of: group))
    }

    /// - Parameter names: the topics on which the group has offsets.
    func topics(onlyOrdered: Bool, of names: [String]) -> [String] {
        names.sorted().filter { name in
            guard let topic = broker.topics.find(name) else { return false }
            return topic.isOrder || !onlyOrdered
        }
    }

    /// - Parameter topics: `nil` for all; topics that the online group does not subscribe to are left out.
    func statistics(topics: [String]?) -> ConsumeStats {
        let online = broker.clients.consumerGroup(group)
        var statistics = ConsumeStats(entries: [])
        for name in topics ?? self.topics(onlyOrdered: false) {
            guard let topic = broker.topics.find(name), online?.mayConsume(name) ?? true else { continue }
            for id in 0..<max(0, topic.config.readQueueNums) {
                statistics.entries.append(entry(topic: name, queueID: id))
            }
            let counters = broker.statistics.existingConsumption(topic: name, group: group)
            statistics.consumeTPS += counters?.windows(of: .messages).minute.perSecond ?? 0
        }
        return statistics
    }

    private func entry(topic: String, queueID: Int32) -> ConsumeStats.Entry {
        let consumed = max(0, broker.offsets.offset(group: group, topic: topic, queueID: queueID) ?? 0)
        let last = consumed > 0 ? broker.storeTime(topic, queueID, at: consumed - 1) : nil
        return ConsumeStats.Entry(
            queue: MessageQueueKey(
                topic: topic, brokerName: broker.settings.configuration.brokerName, queueID: queueID),
            brokerOffset: QueueOffset(rawValue: broker.maximumOffset(topic, queueID)),
            consumerOffset: QueueOffset(rawValue: consumed), lastTimestamp: last ?? .zero
        )
    }

    /// One entry of request 303. Times that are not known are -1, as in RocketMQ; its texts of them are left out: they
    /// repeat the numbers in the broker's time zone, and no reader takes them.
    func timeSpan(topic: String, queueID: Int32, now: Timestamp) -> ConsumeTimeSpanBody.Span {
        let consumed = broker.offsets.offset(group: group, topic: topic, queueID: queueID) ?? -1
        let end = broker.maximumOffset(topic, queueID)
        let first = broker.storeTime(topic, queueID, at: broker.minimumOffset(topic, queueID))
        let last = end > 0 ? broker.storeTime(topic, queueID, at: end - 1) : nil
        let reached = consumed > 0 ? broker.storeTime(topic, queueID, at: consumed - 1) : first
        let next = consumed >= 0 && consumed < end ? broker.storeTime(topic, queueID, at: consumed) : nil
        let queue = MessageQueueKey(
            topic: topic, brokerName: broker.settings.configuration.brokerName, queueID: queueID)
        let unknown = Timestamp(milliseconds: -1)
        return ConsumeTimeSpanBody.Span(
            queue: queue, minimum: first ?? unknown, maximum: last ?? unknown, consumed: reached ?? unknown,
            delay: next.map { max(0, $0.duration(to: now).wholeMilliseconds) } ?? 0
        )
    }
}
