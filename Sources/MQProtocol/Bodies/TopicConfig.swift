/// The version of a broker's topic or group table: every change sets the time and counts up.
package struct DataVersion: JSONBody, Hashable {
    package var counter: Int64
    package var timestamp: Timestamp

    package init(counter: Int64, timestamp: Timestamp) {
        self.counter = counter
        self.timestamp = timestamp
    }

    package init(json: JSONValue) throws(BodyError) {
        counter = try json.integer("counter", default: 0)
        timestamp = try json.timestamp("timestamp")
    }

    package var json: JSONValue {
        ["counter": JSONValue(counter), "timestamp": JSONValue(timestamp)]
    }
}

/// What a broker knows of a topic.
package struct TopicConfig: JSONBody, Hashable {
    package enum FilterType: String, Sendable {
        case singleTag = "SINGLE_TAG"
        case multiTag = "MULTI_TAG"
    }

    package var topicName: String
    /// Default: 16.
    package var readQueueNums: Int32
    /// Default: 16.
    package var writeQueueNums: Int32
    /// Bits: 8 priority (unused), 4 read, 2 write, 1 inherit. Default: 6.
    package var perm: Int32
    package var topicFilterType: FilterType
    /// Bit 0 unit, bit 1 unit subscription.
    package var topicSysFlag: Int32
    package var order: Bool

    package init(
        topicName: String,
        readQueueNums: Int32 = 16,
        writeQueueNums: Int32 = 16,
        perm: Int32 = 6,
        topicFilterType: FilterType = .singleTag,
        topicSysFlag: Int32 = 0,
        order: Bool = false
    ) {
        self.topicName = topicName
        self.readQueueNums = readQueueNums
        self.writeQueueNums = writeQueueNums
        self.perm = perm
        self.topicFilterType = topicFilterType
        self.topicSysFlag = topicSysFlag
        self.order = order
    }

    package init(json: JSONValue) throws(BodyError) {
        topicName = try json.requiredText("topicName")
        readQueueNums = try json.integer32("readQueueNums", default: 16)
        writeQueueNums = try json.integer32("writeQueueNums", default: 16)
        perm = try json.integer32("perm", default: 6)
        topicFilterType = json["topicFilterType"]?.text.flatMap(FilterType.init(rawValue:)) ?? .singleTag
        topicSysFlag = try json.integer32("topicSysFlag", default: 0)
        order = try json.bool("order", default: false)
    }

    package var json: JSONValue {
        [
            "order": .bool(order), "perm": JSONValue(perm), "readQueueNums": JSONValue(readQueueNums),
            "topicFilterType": .string(topicFilterType.rawValue), "topicName": .string(topicName),
            "topicSysFlag": JSONValue(topicSysFlag), "writeQueueNums": JSONValue(writeQueueNums),
        ]
    }
}

/// A broker's topics: `topics.json`, the answer to code 21, and the core of a registration.
package struct TopicConfigTable: JSONBody, Hashable {
    package var dataVersion: DataVersion
    package var topicConfigTable: [String: TopicConfig]

    package init(dataVersion: DataVersion, topicConfigTable: [String: TopicConfig]) {
        self.dataVersion = dataVersion
        self.topicConfigTable = topicConfigTable
    }

    package init(dataVersion: DataVersion, topics: some Sequence<TopicConfig>) {
        self.dataVersion = dataVersion
        topicConfigTable = Dictionary(topics.map { ($0.topicName, $0) }, uniquingKeysWith: { $1 })
    }

    package init(json: JSONValue) throws(BodyError) {
        dataVersion = try DataVersion(json: json["dataVersion"] ?? [:])
        topicConfigTable = [:]
        for member in json["topicConfigTable"]?.members ?? [] {
            let config = try TopicConfig(json: member.value)
            topicConfigTable[member.key.text] = config
        }
    }

    package var json: JSONValue {
        [
            "dataVersion": dataVersion.json,
            "topicConfigTable": .textMap(topicConfigTable.map { ($0.key, $0.value.json) }),
        ]
    }
}
