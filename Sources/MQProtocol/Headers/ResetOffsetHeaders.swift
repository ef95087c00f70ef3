/// RESET_CONSUMER_CLIENT_OFFSET (220) and INVOKE_BROKER_TO_RESET_OFFSET (222).
package struct ResetOffsetHeader: CommandHeader, Hashable {
    package var topic: String
    package var group: String
    /// -1: to the end of each queue.
    package var timestamp: Timestamp
    package var isForced: Bool

    package init(topic: String, group: String, timestamp: Timestamp, isForced: Bool) {
        self.topic = topic
        self.group = group
        self.timestamp = timestamp
        self.isForced = isForced
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        group = try fields.requiredString("group")
        timestamp = Timestamp(milliseconds: try fields.requiredInt64("timestamp"))
        isForced = try fields.requiredBool("isForce")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("group", group)
        writer.write("timestamp", timestamp)
        writer.write("isForce", isForced)
    }
}

/// GET_CONSUMER_STATUS_FROM_CLIENT (221) and INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223).
package struct ConsumerStatusHeader: CommandHeader, Hashable {
    package var topic: String
    package var group: String
    /// A client id, in spite of its name on the wire.
    package var clientID: String?

    package init(topic: String, group: String, clientID: String? = nil) {
        self.topic = topic
        self.group = group
        self.clientID = clientID
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        group = try fields.requiredString("group")
        clientID = fields.string("clientAddr")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("group", group)
        writer.write("clientAddr", clientID)
    }
}
