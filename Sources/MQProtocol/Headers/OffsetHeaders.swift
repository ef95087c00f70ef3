/// QUERY_CONSUMER_OFFSET (14).
package struct QueryConsumerOffsetHeader: CommandHeader, Hashable {
    package var consumerGroup: String
    package var topic: String
    package var queueID: Int32
    /// Of 5.x clients: false asks for the not-found answer instead of 0.
    package var setZeroIfNotFound: Bool?
    /// Added by stock clients; a broker ignores it.
    package var brokerName: String?

    package init(
        consumerGroup: String,
        topic: String,
        queueID: Int32,
        setZeroIfNotFound: Bool? = nil,
        brokerName: String? = nil
    ) {
        self.consumerGroup = consumerGroup
        self.topic = topic
        self.queueID = queueID
        self.setZeroIfNotFound = setZeroIfNotFound
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        consumerGroup = try fields.requiredString("consumerGroup")
        topic = try fields.requiredString("topic")
        queueID = try fields.requiredInt32("queueId")
        setZeroIfNotFound = fields.bool("setZeroIfNotFound")
        brokerName = fields.string("bname")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
        writer.write("topic", topic)
        writer.write("queueId", queueID)
        writer.write("setZeroIfNotFound", setZeroIfNotFound)
        writer.write("bname", brokerName)
    }
}

/// SEARCH_OFFSET_BY_TIMESTAMP (29).
package struct SearchOffsetHeader: CommandHeader, Hashable {
    package var topic: String
    package var queueID: Int32
    package var timestamp: Timestamp
    /// Of 5.x clients: `lower` or `upper`.
    package var boundaryType: String?
    /// Added by stock clients; a broker ignores it.
    package var brokerName: String?

    package init(
        topic: String,
        queueID: Int32,
        timestamp: Timestamp,
        boundaryType: String? = nil,
        brokerName: String? = nil
    ) {
        self.topic = topic
        self.queueID = queueID
        self.timestamp = timestamp
        self.boundaryType = boundaryType
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        queueID = try fields.requiredInt32("queueId")
        timestamp = Timestamp(milliseconds: try fields.requiredInt64("timestamp"))
        boundaryType = fields.string("boundaryType")
        brokerName = fields.string("bname")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("queueId", queueID)
        writer.write("timestamp", timestamp)
        writer.write("boundaryType", boundaryType)
        writer.write("bname", brokerName)
    }
}

/// A queue: GET_MAX_OFFSET (30), GET_MIN_OFFSET (31), GET_EARLIEST_MSG_STORETIME (32).
package struct QueueHeader: CommandHeader, Hashable {
    package var topic: String
    package var queueID: Int32
    /// Added by stock clients; a broker ignores it.
    package var brokerName: String?

    package init(topic: String, queueID: Int32, brokerName: String? = nil) {
        self.topic = topic
        self.queueID = queueID
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        queueID = try fields.requiredInt32("queueId")
        brokerName = fields.string("bname")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("queueId", queueID)
        writer.write("bname", brokerName)
    }
}

/// The answer to 14, 29, 30 and 31.
package struct OffsetResponseHeader: CommandHeader, Hashable {
    package var offset: QueueOffset

    package init(offset: QueueOffset) {
        self.offset = offset
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        offset = QueueOffset(rawValue: try fields.requiredInt64("offset"))
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("offset", offset)
    }
}

/// The answer to 32.
package struct TimestampResponseHeader: CommandHeader, Hashable {
    /// -1 when the queue has no message.
    package var timestamp: Timestamp

    package init(timestamp: Timestamp) {
        self.timestamp = timestamp
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        timestamp = Timestamp(milliseconds: try fields.requiredInt64("timestamp"))
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("timestamp", timestamp)
    }
}
