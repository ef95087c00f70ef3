/// DELETE_SUBSCRIPTIONGROUP (207).
package struct DeleteGroupHeader: CommandHeader, Hashable {
    package var groupName: String
    package var removesOffsets: Bool

    package init(groupName: String, removesOffsets: Bool = false) {
        self.groupName = groupName
        self.removesOffsets = removesOffsets
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        groupName = try fields.requiredString("groupName")
        removesOffsets = fields.bool("removeOffset") ?? false
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("groupName", groupName)
        writer.write("removeOffset", removesOffsets)
    }
}

/// GET_CONSUME_STATS (208).
package struct ConsumeStatsHeader: CommandHeader, Hashable {
    package var consumerGroup: String
    /// Absent or blank: all topics with offsets.
    package var topic: String?

    package init(consumerGroup: String, topic: String? = nil) {
        self.consumerGroup = consumerGroup
        self.topic = topic
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        consumerGroup = try fields.requiredString("consumerGroup")
        topic = fields.string("topic")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
        writer.write("topic", topic)
    }
}
