import NIOCore

/// UPDATE_CONSUMER_OFFSET (15): mostly one-way, once per queue and five seconds, so read in one walk.
package struct UpdateConsumerOffsetHeader: CommandHeader, Hashable {
    package var consumerGroup: String
    package var topic: String
    package var queueID: Int32
    package var commitOffset: QueueOffset
    /// Written for stock peers, not read.
    package var brokerName: String?

    package init(
        consumerGroup: String,
        topic: String,
        queueID: Int32,
        commitOffset: QueueOffset,
        brokerName: String? = nil
    ) {
        self.consumerGroup = consumerGroup
        self.topic = topic
        self.queueID = queueID
        self.commitOffset = commitOffset
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        var group: String?
        var topic: String?
        var queueID: Int32?
        var offset: Int64?
        var scanner = FieldScanner(fields.bytes.readableBytesUInt8Span, fields.encoding)
        while scanner.next() {
            guard scanner.hasValue else { continue }
            switch scanner.keyLength {
            case 13 where scanner.isKey("consumerGroup"): group = fields.string(scanner.value)
            case 5 where scanner.isKey("topic"): topic = fields.string(scanner.value)
            case 7 where scanner.isKey("queueId"): queueID = try scanner.int32()
            case 12 where scanner.isKey("commitOffset"): offset = try scanner.int64()
            default: break
            }
        }
        guard let group else { throw HeaderError(.missingField, "consumerGroup") }
        guard let topic else { throw HeaderError(.missingField, "topic") }
        guard let queueID else { throw HeaderError(.missingField, "queueId") }
        guard let offset else { throw HeaderError(.missingField, "commitOffset") }
        self.init(consumerGroup: group, topic: topic, queueID: queueID, commitOffset: QueueOffset(rawValue: offset))
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
        writer.write("topic", topic)
        writer.write("queueId", queueID)
        writer.write("commitOffset", commitOffset)
        writer.write("bname", brokerName)
    }
}
