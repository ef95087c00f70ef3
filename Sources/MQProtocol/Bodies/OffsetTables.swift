/// New offsets of a group's queues: sent to its consumers (220), and the answer to code 222.
package struct ResetOffsetBody: JSONBody, Hashable {
    package struct Entry: Sendable, Hashable {
        package var queue: MessageQueueKey
        package var offset: QueueOffset

        package init(queue: MessageQueueKey, offset: QueueOffset) {
            self.queue = queue
            self.offset = offset
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// Reads the map and the list form.
    package init(json: JSONValue) throws(BodyError) {
        entries = []
        if case .array(let elements) = json["offsetTable"] ?? .null {
            for element in elements {
                let offset = QueueOffset(rawValue: try element.integer("offset", default: 0))
                entries.append(Entry(queue: try MessageQueueKey(json: element), offset: offset))
            }
            return
        }
        for (queue, value) in try MessageQueueKey.map(json["offsetTable"]) {
            guard let offset = value.integer else { throw BodyError(.invalidMember, "offsetTable") }
            entries.append(Entry(queue: queue, offset: QueueOffset(rawValue: offset)))
        }
    }

    package var json: JSONValue {
        ["offsetTable": .object(entries.map { $0.queue.member(JSONValue($0.offset.rawValue)) })]
    }

    /// The form that a broker sends when the request to reset came from a C++ tool.
    package var listJSON: JSONValue {
        let elements = entries.map { entry -> JSONValue in
            [
                "brokerName": .string(entry.queue.brokerName), "offset": JSONValue(entry.offset.rawValue),
                "queueId": JSONValue(entry.queue.queueID), "topic": .string(entry.queue.topic),
            ]
        }
        return ["offsetTable": .array(elements)]
    }
}

/// Offsets as a client holds them (221), or those of all clients of a group (223).
package struct ConsumerStatusBody: JSONBody, Hashable {
    /// Of the one client that answers.
    package var queues: [ResetOffsetBody.Entry]
    /// By client id.
    package var clients: [String: [ResetOffsetBody.Entry]]

    package init(queues: [ResetOffsetBody.Entry] = [], clients: [String: [ResetOffsetBody.Entry]] = [:]) {
        self.queues = queues
        self.clients = clients
    }

    package init(json: JSONValue) throws(BodyError) {
        queues = try Self.entries(json["messageQueueTable"])
        clients = [:]
        for member in json["consumerTable"]?.members ?? [] {
            clients[member.key.text] = try Self.entries(member.value)
        }
    }

    private static func entries(_ json: JSONValue?) throws(BodyError) -> [ResetOffsetBody.Entry] {
        try ResetOffsetBody(json: ["offsetTable": json ?? [:]]).entries
    }

    package var json: JSONValue {
        func map(_ entries: [ResetOffsetBody.Entry]) -> JSONValue {
            .object(entries.map { $0.queue.member(JSONValue($0.offset.rawValue)) })
        }
        return [
            "consumerTable": .textMap(clients.map { ($0.key, map($0.value)) }), "messageQueueTable": map(queues),
        ]
    }
}

/// How far the delay levels are: `delayOffset.json`, and the answer to code 45.
package struct DelayOffsetsBody: JSONBody, Hashable {
    /// Level, from 1, to the next offset of its queue.
    package var offsets: [Int32: Int64]

    package init(offsets: [Int32: Int64]) {
        self.offsets = offsets
    }

    package init(json: JSONValue) throws(BodyError) {
        offsets = try json["offsetTable"].map { json throws(BodyError) in try Int32Map.read(json) } ?? [:]
    }

    package var json: JSONValue { ["offsetTable": Int32Map.json(offsets)] }
}

/// Smallest offsets per queue over several groups (308).
package struct CorrectionOffsetsBody: JSONBody, Hashable {
    package var offsets: [Int32: Int64]

    package init(offsets: [Int32: Int64]) {
        self.offsets = offsets
    }

    package init(json: JSONValue) throws(BodyError) {
        offsets = try json["correctionOffsets"].map { json throws(BodyError) in try Int32Map.read(json) } ?? [:]
    }

    package var json: JSONValue { ["correctionOffsets": Int32Map.json(offsets)] }
}

/// Maps from a queue id or a level to an offset.
private enum Int32Map {
    static func read(_ json: JSONValue) throws(BodyError) -> [Int32: Int64] {
        var map: [Int32: Int64] = [:]
        for member in json.members {
            guard let key = member.key.integer.flatMap(Int32.init(exactly:)), let value = member.value.integer else {
                throw BodyError(.invalidMember, "an offset")
            }
            map[key] = value
        }
        return map
    }

    static func json(_ map: [Int32: Int64]) -> JSONValue {
        .integerMap(map.map { (Int64($0.key), JSONValue($0.value)) })
    }
}

/// Entries of a consume queue (321).
package struct QueryConsumeQueueBody: JSONBody, Hashable {
    package struct Entry: Sendable, Hashable {
        package var physicalOffset: LogOffset
        package var physicalSize: Int32
        package var tagsCode: Int64
        /// Whether the group's filter lets the message through.
        package var matches: Bool

        package init(physicalOffset: LogOffset, physicalSize: Int32, tagsCode: Int64, matches: Bool) {
            self.physicalOffset = physicalOffset
            self.physicalSize = physicalSize
            self.tagsCode = tagsCode
            self.matches = matches
        }
    }

    package var subscription: SubscriptionData?
    /// `null` as text for tag subscriptions, as 4.9 brokers write it; absent when no group was asked about.
    package var filterData: String?
    package var entries: [Entry]
    package var minimumIndex: Int64
    package var maximumIndex: Int64

    package init(
        subscription: SubscriptionData? = nil, filterData: String? = nil, entries: [Entry], minimumIndex: Int64,
        maximumIndex: Int64
    ) {
        self.subscription = subscription
        self.filterData = filterData
        self.entries = entries
        self.minimumIndex = minimumIndex
        self.maximumIndex = maximumIndex
    }

    package init(json: JSONValue) throws(BodyError) {
        subscription = try json["subscriptionData"].map { json throws(BodyError) in try SubscriptionData(json: json) }
        filterData = json["filterData"]?.text
        minimumIndex = try json.integer("minQueueIndex", default: 0)
        maximumIndex = try json.integer("maxQueueIndex", default: 0)
        entries = []
        for element in json["queueData"]?.elements ?? [] {
            entries.append(
                Entry(
                    physicalOffset: LogOffset(rawValue: try element.integer("physicOffset", default: 0)),
                    physicalSize: try element.integer32("physicSize", default: 0),
                    tagsCode: try element.integer("tagsCode", default: 0),
                    matches: try element.bool("eval", default: false)
                )
            )
        }
    }

    package var json: JSONValue {
        let entries = entries.map { entry -> JSONValue in
            [
                "eval": .bool(entry.matches), "physicOffset": JSONValue(entry.physicalOffset.rawValue),
                "physicSize": JSONValue(entry.physicalSize), "tagsCode": JSONValue(entry.tagsCode),
            ]
        }
        return [
            "filterData": JSONValue(filterData), "maxQueueIndex": JSONValue(maximumIndex),
            "minQueueIndex": JSONValue(minimumIndex), "queueData": .array(entries),
            "subscriptionData": subscription?.json ?? .null,
        ]
    }
}
