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

/// GET_BROKER_CONSUME_STATS (317).
package struct BrokerConsumeStatsHeader: CommandHeader, Hashable {
    package var isOrdered: Bool

    package init(isOrdered: Bool = false) {
        self.isOrdered = isOrdered
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        isOrdered = fields.bool("isOrder") ?? false
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("isOrder", isOrdered)
    }
}

/// QUERY_CORRECTION_OFFSET (308).
package struct QueryCorrectionOffsetHeader: CommandHeader, Hashable {
    package var topic: String
    package var compareGroup: String
    /// Separated by commas.
    package var filterGroups: String?

    package init(topic: String, compareGroup: String, filterGroups: String? = nil) {
        self.topic = topic
        self.compareGroup = compareGroup
        self.filterGroups = filterGroups
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        compareGroup = try fields.requiredString("compareGroup")
        filterGroups = fields.string("filterGroups")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("compareGroup", compareGroup)
        writer.write("filterGroups", filterGroups)
    }
}

/// CLONE_GROUP_OFFSET (314).
package struct CloneGroupOffsetHeader: CommandHeader, Hashable {
    package var sourceGroup: String
    package var destinationGroup: String
    package var topic: String?
    package var isOffline: Bool

    package init(sourceGroup: String, destinationGroup: String, topic: String? = nil, isOffline: Bool = false) {
        self.sourceGroup = sourceGroup
        self.destinationGroup = destinationGroup
        self.topic = topic
        self.isOffline = isOffline
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        sourceGroup = try fields.requiredString("srcGroup")
        destinationGroup = try fields.requiredString("destGroup")
        topic = fields.string("topic")
        isOffline = fields.bool("offline") ?? false
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("srcGroup", sourceGroup)
        writer.write("destGroup", destinationGroup)
        writer.write("topic", topic)
        writer.write("offline", isOffline)
    }
}
