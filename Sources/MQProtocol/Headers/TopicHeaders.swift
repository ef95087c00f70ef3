/// UPDATE_AND_CREATE_TOPIC (17).
package struct CreateTopicHeader: CommandHeader, Hashable {
    package var topic: String
    package var defaultTopic: String
    package var readQueueCount: Int32
    package var writeQueueCount: Int32
    package var permission: Int32
    /// `SINGLE_TAG` or `MULTI_TAG`.
    package var filterType: String
    package var topicSysFlag: Int32
    package var isOrdered: Bool

    package init(
        topic: String,
        defaultTopic: String = "TBW102",
        readQueueCount: Int32,
        writeQueueCount: Int32,
        permission: Int32,
        filterType: String = "SINGLE_TAG",
        topicSysFlag: Int32 = 0,
        isOrdered: Bool = false
    ) {
        self.topic = topic
        self.defaultTopic = defaultTopic
        self.readQueueCount = readQueueCount
        self.writeQueueCount = writeQueueCount
        self.permission = permission
        self.filterType = filterType
        self.topicSysFlag = topicSysFlag
        self.isOrdered = isOrdered
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        defaultTopic = fields.string("defaultTopic") ?? "TBW102"
        readQueueCount = try fields.requiredInt32("readQueueNums")
        writeQueueCount = try fields.requiredInt32("writeQueueNums")
        permission = try fields.requiredInt32("perm")
        filterType = fields.string("topicFilterType") ?? "SINGLE_TAG"
        topicSysFlag = fields.int32("topicSysFlag") ?? 0
        isOrdered = fields.bool("order") ?? false
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("defaultTopic", defaultTopic)
        writer.write("readQueueNums", readQueueCount)
        writer.write("writeQueueNums", writeQueueCount)
        writer.write("perm", permission)
        writer.write("topicFilterType", filterType)
        writer.write("topicSysFlag", topicSysFlag)
        writer.write("order", isOrdered)
    }
}

/// A topic: GET_TOPIC_STATS_INFO (202), DELETE_TOPIC_IN_BROKER (215), QUERY_TOPIC_CONSUME_BY_WHO (300) and
/// GET_TOPIC_CONFIG (351).
package struct TopicHeader: CommandHeader, Hashable {
    package var topic: String

    package init(topic: String) {
        self.topic = topic
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
    }
}
