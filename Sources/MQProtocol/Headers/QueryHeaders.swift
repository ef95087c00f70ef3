/// QUERY_MESSAGE (12): by key or unique id.
package struct QueryMessageHeader: CommandHeader, Hashable {
    package var topic: String
    package var key: String
    package var maximum: Int32
    package var begin: Timestamp
    package var end: Timestamp
    /// The key is a unique id; brokers then answer their own maximum.
    package var isUniqueKey: Bool?

    package init(
        topic: String,
        key: String,
        maximum: Int32,
        begin: Timestamp,
        end: Timestamp,
        isUniqueKey: Bool? = nil
    ) {
        self.topic = topic
        self.key = key
        self.maximum = maximum
        self.begin = begin
        self.end = end
        self.isUniqueKey = isUniqueKey
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        key = try fields.requiredString("key")
        maximum = try fields.requiredInt32("maxNum")
        begin = Timestamp(milliseconds: try fields.requiredInt64("beginTimestamp"))
        end = Timestamp(milliseconds: try fields.requiredInt64("endTimestamp"))
        isUniqueKey = fields.bool("_UNIQUE_KEY_QUERY")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("key", key)
        writer.write("maxNum", maximum)
        writer.write("beginTimestamp", begin)
        writer.write("endTimestamp", end)
        writer.write("_UNIQUE_KEY_QUERY", isUniqueKey)
    }
}

/// The answer to 12, also when nothing was found.
package struct QueryMessageResponseHeader: CommandHeader, Hashable {
    package var lastUpdate: Timestamp
    package var lastUpdateOffset: LogOffset

    package init(lastUpdate: Timestamp = .zero, lastUpdateOffset: LogOffset = .zero) {
        self.lastUpdate = lastUpdate
        self.lastUpdateOffset = lastUpdateOffset
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        lastUpdate = fields.int64("indexLastUpdateTimestamp").map(Timestamp.init(milliseconds:)) ?? .zero
        lastUpdateOffset = fields.int64("indexLastUpdatePhyoffset").map(LogOffset.init(rawValue:)) ?? .zero
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("indexLastUpdateTimestamp", lastUpdate)
        writer.write("indexLastUpdatePhyoffset", lastUpdateOffset)
    }
}

/// VIEW_MESSAGE_BY_ID (33).
package struct ViewMessageHeader: CommandHeader, Hashable {
    package var logOffset: LogOffset

    package init(logOffset: LogOffset) {
        self.logOffset = logOffset
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        logOffset = LogOffset(rawValue: try fields.requiredInt64("offset"))
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("offset", logOffset)
    }
}

/// QUERY_CONSUME_QUEUE (321).
package struct QueryConsumeQueueHeader: CommandHeader, Hashable {
    package var topic: String
    package var queueID: Int32
    /// The first entry wanted.
    package var index: QueueOffset
    package var count: Int32
    package var consumerGroup: String?

    package init(topic: String, queueID: Int32, index: QueueOffset, count: Int32, consumerGroup: String? = nil) {
        self.topic = topic
        self.queueID = queueID
        self.index = index
        self.count = count
        self.consumerGroup = consumerGroup
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        queueID = try fields.requiredInt32("queueId")
        index = QueueOffset(rawValue: try fields.requiredInt64("index"))
        count = try fields.requiredInt32("count")
        consumerGroup = fields.string("consumerGroup")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("queueId", queueID)
        writer.write("index", index)
        writer.write("count", count)
        writer.write("consumerGroup", consumerGroup)
    }
}
