import MQProtocol
import NIOCore

extension ReceivedMessage {
    /// Reads one record and moves the reader index behind it. A body that cannot be read makes the message
    /// ``unreadable``: what comes behind it does not depend on it.
    ///
    /// - Parameter topic: of the message before; its text is shared when the topic is the same.
    init(
        reading buffer: inout ByteBuffer, brokerName: String, after topic: String = ""
    ) throws(RecordError) {
        let source = buffer
        let bytes = source.readableBytesUInt8Span
        let record = try RecordView.parse(bytes)
        let isSameTopic = PropertyScan.equal(bytes, record.topicRange, topic)
        self.init(
            record,
            topic: isSameTopic ? topic : String(buffer: source.part(record.topicRange)),
            body: source.part(record.bodyRange),
            properties: ReceivedProperties(text: source.part(record.propertiesRange)),
            brokerName: brokerName)
        if record.bodyChecksumMatches(in: bytes) {
            decompress()
        } else {
            unreadable = "the body of the record at \(record.physicalOffset) is damaged"
        }
        buffer.moveReaderIndex(forwardBy: record.totalSize)
    }

    init(_ stored: StoredMessage, brokerName: String) {
        self.init(
            stored.record, topic: stored.topic, body: stored.body,
            properties: ReceivedProperties(text: stored.properties.encode()), brokerName: brokerName)
        decompress()
    }

    private init(
        _ record: RecordView, topic: String, body: ByteBuffer, properties: ReceivedProperties, brokerName: String
    ) {
        self.init(
            topic: topic,
            body: body,
            properties: properties,
            brokerName: brokerName,
            queueID: record.queueID,
            queueOffset: record.queueOffset.rawValue,
            logOffset: record.physicalOffset.rawValue,
            storedBytes: Int32(clamping: record.totalSize),
            flag: record.flag,
            systemFlag: record.sysFlag.rawValue,
            bornTimestamp: record.bornTimestamp,
            storeTimestamp: record.storeTimestamp,
            reconsumeTimes: record.reconsumeTimes,
            preparedTransactionOffset: record.preparedTransactionOffset.rawValue,
            bornAddress: record.bornHost,
            storeAddress: record.storeHost
        )
    }

    private mutating func decompress() {
        guard let compression = SysFlag(rawValue: systemFlag).compression else { return }
        do {
            body = try compression.decompress(body, limit: 64 << 20)
        } catch {
            unreadable = error.message
        }
    }

    /// The messages of an answer's body, in order.
    static func list(
        _ body: ByteBuffer, brokerName: String, address: String
    ) throws(MQClientError) -> [ReceivedMessage] {
        do throws(RecordError) {
            var messages: [ReceivedMessage] = []
            var rest = body
            while rest.readableBytes > 0 {
                messages.append(
                    try ReceivedMessage(reading: &rest, brokerName: brokerName, after: messages.last?.topic ?? ""))
            }
            return messages
        } catch {
            throw MQClientError(malformed: "messages", from: address, cause: error)
        }
    }
}

extension ByteBuffer {
    /// A slice of a record that begins at the reader index; its ranges were checked against its length.
    fileprivate func part(_ range: Range<Int>) -> ByteBuffer {
        getSlice(at: readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }
}
