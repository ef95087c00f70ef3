package import NIOCore

/// SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320) and the replies 324 and 325, as they are written;
/// ``SendRequest`` reads them.
package struct SendMessageHeader: CommandHeader, Hashable {
    package var producerGroup: String
    package var topic: String
    /// The template for creating an unknown topic; clients send `TBW102`.
    package var defaultTopic: String
    /// Queues wanted for a topic that this message creates. Clients send 4.
    package var defaultTopicQueueCount: Int32
    /// Negative: the broker chooses.
    package var queueID: Int32
    package var sysFlag: SysFlag
    package var bornTimestamp: Timestamp
    /// The application's own number, stored as it is.
    package var flag: Int32
    /// The encoded text. Invalid UTF-8 is kept as it came.
    package var properties: ByteBuffer
    package var reconsumeTimes: Int32
    package var unitMode: Bool
    /// Nil: the group's own limit. Only `%RETRY%` topics use it.
    package var maximumReconsumeTimes: Int32?
    /// The body is a batch, whatever the code is.
    package var isBatch: Bool
    /// Written for stock peers, not read: a broker knows its name.
    package var brokerName: String?
    /// How the names are written: codes 10 and 324 need the long ones. Default: false.
    package var usesLongNames = false

    package init(
        producerGroup: String,
        topic: String,
        defaultTopic: String = "TBW102",
        defaultTopicQueueCount: Int32 = 4,
        queueID: Int32,
        sysFlag: SysFlag = SysFlag(rawValue: 0),
        bornTimestamp: Timestamp,
        flag: Int32 = 0,
        properties: ByteBuffer = ByteBuffer(),
        reconsumeTimes: Int32 = 0,
        unitMode: Bool = false,
        maximumReconsumeTimes: Int32? = nil,
        isBatch: Bool = false,
        brokerName: String? = nil
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
        self.maximumReconsumeTimes = maximumReconsumeTimes
        self.isBatch = isBatch
        self.brokerName = brokerName
    }
}

// MARK: - Reading

extension SendMessageHeader {
    package init(_ fields: HeaderFields) throws(HeaderError) {
        let request = try SendRequest(fields)
        self.init(
            producerGroup: request.producerGroup, topic: request.topic, defaultTopic: request.defaultTopic,
            defaultTopicQueueCount: request.defaultTopicQueueCount, queueID: request.queueID,
            sysFlag: request.sysFlag, bornTimestamp: request.bornTimestamp, flag: request.flag,
            properties: request.properties, reconsumeTimes: request.reconsumeTimes, unitMode: request.unitMode,
            maximumReconsumeTimes: request.maximumReconsumeTimes, isBatch: request.isBatch
        )
    }
}

// MARK: - Writing

extension SendMessageHeader {
    package func write(to writer: inout FieldWriter) {
        if usesLongNames {
            writeLong(to: &writer)
        } else {
            writeShort(to: &writer)
        }
    }

    private func writeShort(to writer: inout FieldWriter) {
        writer.write("a", producerGroup)
        writer.write("b", topic)
        writer.write("c", defaultTopic)
        writer.write("d", defaultTopicQueueCount)
        writer.write("e", queueID)
        writer.write("f", sysFlag)
        writer.write("g", bornTimestamp)
        writer.write("h", flag)
        writer.write("i", text: properties)
        writer.write("j", reconsumeTimes)
        writer.write("k", unitMode)
        writer.write("l", maximumReconsumeTimes)
        writer.write("m", isBatch)
        writer.write("n", brokerName)
    }

    private func writeLong(to writer: inout FieldWriter) {
        writer.write("producerGroup", producerGroup)
        writer.write("topic", topic)
        writer.write("defaultTopic", defaultTopic)
        writer.write("defaultTopicQueueNums", defaultTopicQueueCount)
        writer.write("queueId", queueID)
        writer.write("sysFlag", sysFlag)
        writer.write("bornTimestamp", bornTimestamp)
        writer.write("flag", flag)
        writer.write("properties", text: properties)
        writer.write("reconsumeTimes", reconsumeTimes)
        writer.write("unitMode", unitMode)
        writer.write("maxReconsumeTimes", maximumReconsumeTimes)
        writer.write("batch", isBatch)
        writer.write("bname", brokerName)
    }
}
