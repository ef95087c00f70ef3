/// CONSUMER_SEND_MSG_BACK (36): a consumer returns a message that it could not handle.
package struct SendBackHeader: CommandHeader, Hashable {
    package var logOffset: LogOffset
    package var group: String
    /// Negative: to the dead letters at once. 0: the broker chooses by the attempts so far.
    package var delayLevel: Int32
    package var originMessageID: String?
    package var originTopic: String?
    package var unitMode: Bool
    /// Overrides the group's own limit.
    package var maximumReconsumeTimes: Int32?
    /// Added by stock clients; a broker ignores it.
    package var brokerName: String?

    package init(
        logOffset: LogOffset,
        group: String,
        delayLevel: Int32,
        originMessageID: String? = nil,
        originTopic: String? = nil,
        unitMode: Bool = false,
        maximumReconsumeTimes: Int32? = nil,
        brokerName: String? = nil
    ) {
        self.logOffset = logOffset
        self.group = group
        self.delayLevel = delayLevel
        self.originMessageID = originMessageID
        self.originTopic = originTopic
        self.unitMode = unitMode
        self.maximumReconsumeTimes = maximumReconsumeTimes
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        logOffset = LogOffset(rawValue: try fields.requiredInt64("offset"))
        group = try fields.requiredString("group")
        delayLevel = try fields.requiredInt32("delayLevel")
        originMessageID = fields.string("originMsgId")
        originTopic = fields.string("originTopic")
        unitMode = fields.bool("unitMode") ?? false
        maximumReconsumeTimes = fields.int32("maxReconsumeTimes")
        brokerName = fields.string("bname")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("offset", logOffset)
        writer.write("group", group)
        writer.write("delayLevel", delayLevel)
        writer.write("originMsgId", originMessageID)
        writer.write("originTopic", originTopic)
        writer.write("unitMode", unitMode)
        writer.write("maxReconsumeTimes", maximumReconsumeTimes)
        writer.write("bname", brokerName)
    }
}
