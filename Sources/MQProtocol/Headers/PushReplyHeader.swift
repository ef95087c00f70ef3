/// PUSH_REPLY_MESSAGE_TO_CLIENT (326): hands a reply to the client that asked.
package struct PushReplyHeader: CommandHeader, Hashable {
    package var producerGroup: String
    package var topic: String
    package var defaultTopic: String
    package var defaultTopicQueueCount: Int32
    package var queueID: Int32
    package var sysFlag: SysFlag
    package var bornTimestamp: Timestamp
    package var flag: Int32
    package var properties: String?
    package var reconsumeTimes: Int32?
    package var unitMode: Bool?
    /// `ip:port` of the replier.
    package var bornHost: String
    /// `ip:port` of the broker.
    package var storeHost: String
    package var storeTimestamp: Timestamp

    package init(
        producerGroup: String,
        topic: String,
        defaultTopic: String,
        defaultTopicQueueCount: Int32,
        queueID: Int32,
        sysFlag: SysFlag,
        bornTimestamp: Timestamp,
        flag: Int32,
        properties: String? = nil,
        reconsumeTimes: Int32? = nil,
        unitMode: Bool? = nil,
        bornHost: String,
        storeHost: String,
        storeTimestamp: Timestamp
    ) {
        self.producerGroup = producerGroup
        self.topic = topic
        self.defaultTopic = defaultTopic
        self.defaultTopicQueueCount = defaultTopicQueueCount
        self.queueID = queueID
        self.sysFlag = sysFlag
        self.bornTimestamp = bornTimestamp
        self.flag = flag
        self.properties = properties
        self.reconsumeTimes = reconsumeTimes
        self.unitMode = unitMode
        self.bornHost = bornHost
        self.storeHost = storeHost
        self.storeTimestamp = storeTimestamp
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        producerGroup = try fields.requiredString("producerGroup")
        topic = try fields.requiredString("topic")
        defaultTopic = try fields.requiredString("defaultTopic")
        defaultTopicQueueCount = try fields.requiredInt32("defaultTopicQueueNums")
        queueID = try fields.requiredInt32("queueId")
        sysFlag = SysFlag(rawValue: try fields.requiredInt32("sysFlag"))
        bornTimestamp = Timestamp(milliseconds: try fields.requiredInt64("bornTimestamp"))
        flag = try fields.requiredInt32("flag")
        properties = fields.string("properties")
        reconsumeTimes = fields.int32("reconsumeTimes")
        unitMode = fields.bool("unitMode")
        bornHost = try fields.requiredString("bornHost")
        storeHost = try fields.requiredString("storeHost")
        storeTimestamp = Timestamp(milliseconds: try fields.requiredInt64("storeTimestamp"))
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("producerGroup", producerGroup)
        writer.write("topic", topic)
        writer.write("defaultTopic", defaultTopic)
        writer.write("defaultTopicQueueNums", defaultTopicQueueCount)
        writer.write("queueId", queueID)
        writer.write("sysFlag", sysFlag)
        writer.write("bornTimestamp", bornTimestamp)
        writer.write("flag", flag)
        writer.write("properties", properties)
        writer.write("reconsumeTimes", reconsumeTimes)
        writer.write("unitMode", unitMode)
        writer.write("bornHost", bornHost)
        writer.write("storeHost", storeHost)
        writer.write("storeTimestamp", storeTimestamp)
    }
}
