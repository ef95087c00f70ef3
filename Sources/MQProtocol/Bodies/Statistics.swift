/// The offsets of a topic's queues (202).
package struct TopicStatsTable: JSONBody, Hashable {
    package struct Entry: Sendable, Hashable {
        package var queue: MessageQueueKey
        package var minimumOffset: QueueOffset
        package var maximumOffset: QueueOffset
        /// Zero when nothing was ever stored.
        package var lastUpdate: Timestamp

        package init(
            queue: MessageQueueKey, minimumOffset: QueueOffset, maximumOffset: QueueOffset, lastUpdate: Timestamp
        ) {
            self.queue = queue
            self.minimumOffset = minimumOffset
            self.maximumOffset = maximumOffset
            self.lastUpdate = lastUpdate
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    package init(json: JSONValue) throws(BodyError) {
        entries = []
        for (queue, value) in try MessageQueueKey.map(json["offsetTable"]) {
            entries.append(
                Entry(
                    queue: queue,
                    minimumOffset: QueueOffset(rawValue: try value.integer("minOffset", default: 0)),
                    maximumOffset: QueueOffset(rawValue: try value.integer("maxOffset", default: 0)),
                    lastUpdate: try value.timestamp("lastUpdateTimestamp")
                )
            )
        }
    }

    package var json: JSONValue {
        let members = entries.map { entry in
            entry.queue.member([
                "lastUpdateTimestamp": JSONValue(entry.lastUpdate),
                "maxOffset": JSONValue(entry.maximumOffset.rawValue),
                "minOffset": JSONValue(entry.minimumOffset.rawValue),
            ])
        }
        return ["offsetTable": .object(members)]
    }
}

/// How far a group is (208).
package struct ConsumeStats: JSONBody, Hashable {
    package struct Entry: Sendable, Hashable {
        package var queue: MessageQueueKey
        package var brokerOffset: QueueOffset
        package var consumerOffset: QueueOffset
        /// Store time of the message consumed last; zero when there is none.
        package var lastTimestamp: Timestamp

        package init(
            queue: MessageQueueKey, brokerOffset: QueueOffset, consumerOffset: QueueOffset, lastTimestamp: Timestamp
        ) {
            self.queue = queue
            self.brokerOffset = brokerOffset
            self.consumerOffset = consumerOffset
            self.lastTimestamp = lastTimestamp
        }
    }

    package var entries: [Entry]
    /// Messages per second over the last minute.
    package var consumeTPS: Double

    package init(entries: [Entry], consumeTPS: Double = 0) {
        self.entries = entries
        self.consumeTPS = consumeTPS
    }

    /// Messages that wait.
    package var totalDifference: Int64 {
        entries.reduce(0) { $0 &+ ($1.brokerOffset.rawValue &- $1.consumerOffset.rawValue) }
    }

    package init(json: JSONValue) throws(BodyError) {
        consumeTPS = json["consumeTps"]?.double ?? 0
        entries = []
        for (queue, value) in try MessageQueueKey.map(json["offsetTable"]) {
            entries.append(
                Entry(
                    queue: queue,
                    brokerOffset: QueueOffset(rawValue: try value.integer("brokerOffset", default: 0)),
                    consumerOffset: QueueOffset(rawValue: try value.integer("consumerOffset", default: 0)),
                    lastTimestamp: try value.timestamp("lastTimestamp")
                )
            )
        }
    }

    package var json: JSONValue {
        let members = entries.map { entry in
            entry.queue.member([
                "brokerOffset": JSONValue(entry.brokerOffset.rawValue),
                "consumerOffset": JSONValue(entry.consumerOffset.rawValue),
                "lastTimestamp": JSONValue(entry.lastTimestamp),
            ])
        }
        return ["consumeTps": .double(consumeTPS), "offsetTable": .object(members)]
    }
}

/// How far every group of a broker is (317).
package struct ConsumeStatsList: JSONBody, Hashable {
    package var brokerAddr: String
    /// By group; one entry per topic of the group.
    package var groups: [String: [ConsumeStats]]
    package var totalDiff: Int64

    package init(brokerAddr: String, groups: [String: [ConsumeStats]], totalDiff: Int64) {
        self.brokerAddr = brokerAddr
        self.groups = groups
        self.totalDiff = totalDiff
    }

    package init(json: JSONValue) throws(BodyError) {
        brokerAddr = json["brokerAddr"]?.text ?? ""
        totalDiff = try json.integer("totalDiff", default: 0)
        groups = [:]
        for element in json["consumeStatsList"]?.elements ?? [] {
            for member in element.members {
                for stats in member.value.elements {
                    groups[member.key.text, default: []].append(try ConsumeStats(json: stats))
                }
            }
        }
    }

    package var json: JSONValue {
        let list = groups.sorted { $0.key < $1.key }.map { group, stats in
            JSONValue.object([.init(.text(group), .array(stats.map(\.json)))])
        }
        return ["brokerAddr": .string(brokerAddr), "consumeStatsList": .array(list), "totalDiff": JSONValue(totalDiff)]
    }
}

/// One counter of a broker over the last minute, hour and day (315).
package struct BrokerStatsData: JSONBody, Hashable {
    package struct Item: Sendable, Hashable {
        package var sum: Int64
        /// Per second.
        package var rate: Double
        /// Per call.
        package var average: Double

        package init(sum: Int64, rate: Double, average: Double) {
            self.sum = sum
            self.rate = rate
            self.average = average
        }

        init(_ json: JSONValue?) {
            sum = json?["sum"]?.integer ?? 0
            rate = json?["tps"]?.double ?? 0
            average = json?["avgpt"]?.double ?? 0
        }

        var json: JSONValue { ["avgpt": .double(average), "sum": JSONValue(sum), "tps": .double(rate)] }
    }

    package var minute: Item
    package var hour: Item
    package var day: Item

    package init(minute: Item, hour: Item, day: Item) {
        self.minute = minute
        self.hour = hour
        self.day = day
    }

    package init(json: JSONValue) throws(BodyError) {
        minute = Item(json["statsMinute"])
        hour = Item(json["statsHour"])
        day = Item(json["statsDay"])
    }

    package var json: JSONValue {
        ["statsDay": day.json, "statsHour": hour.json, "statsMinute": minute.json]
    }
}

/// How old what a group has not consumed yet is (303).
package struct ConsumeTimeSpanBody: JSONBody, Hashable {
    package struct Span: Sendable, Hashable {
        package var queue: MessageQueueKey
        package var minimum: Timestamp
        package var maximum: Timestamp
        package var consumed: Timestamp
        /// Milliseconds that the group is behind.
        package var delay: Int64

        package init(
            queue: MessageQueueKey, minimum: Timestamp, maximum: Timestamp, consumed: Timestamp, delay: Int64
        ) {
            self.queue = queue
            self.minimum = minimum
            self.maximum = maximum
            self.consumed = consumed
            self.delay = delay
        }
    }

    package var spans: [Span]

    package init(spans: [Span]) {
        self.spans = spans
    }

    package init(json: JSONValue) throws(BodyError) {
        spans = []
        for element in json["consumeTimeSpanSet"]?.elements ?? [] {
            guard let queue = element["messageQueue"] else { throw BodyError(.missingMember, "messageQueue") }
            spans.append(
                Span(
                    queue: try MessageQueueKey(json: queue), minimum: try element.timestamp("minTimeStamp"),
                    maximum: try element.timestamp("maxTimeStamp"), consumed: try element.timestamp("consumeTimeStamp"),
                    delay: try element.integer("delayTime", default: 0)
                )
            )
        }
    }

    package var json: JSONValue {
        let spans = spans.map { span -> JSONValue in
            [
                "consumeTimeStamp": JSONValue(span.consumed), "delayTime": JSONValue(span.delay),
                "maxTimeStamp": JSONValue(span.maximum), "messageQueue": span.queue.json,
                "minTimeStamp": JSONValue(span.minimum),
            ]
        }
        return ["consumeTimeSpanSet": .array(spans)]
    }
}
