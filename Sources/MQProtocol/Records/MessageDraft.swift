package import NIOCore

/// A message about to be stored: everything but its place in the log.
package struct MessageDraft: Sendable {
    package var topic: String
    package var queueID: Int32
    /// The user's flag; the broker does not look at it.
    package var flag: Int32
    /// The two host bits are set from the hosts when the record is written.
    package var sysFlag: SysFlag
    package var bornTimestamp: Timestamp
    package var bornHost: HostAddress
    package var storeHost: HostAddress
    package var reconsumeTimes: Int32
    /// Of a committed message: where its half record is; else zero.
    package var preparedTransactionOffset: LogOffset
    package var body: ByteBuffer
    /// The body's CRC where it is known, as of a message that is stored again; else it is computed.
    package var bodyCRC: Int32?
    /// The text of protocol section "properties": `name 0x01 value 0x02 …`.
    package var properties: ByteBuffer

    package init(
        topic: String, queueID: Int32, flag: Int32 = 0, sysFlag: SysFlag = [], bornTimestamp: Timestamp,
        bornHost: HostAddress, storeHost: HostAddress, reconsumeTimes: Int32 = 0,
        preparedTransactionOffset: LogOffset = .zero, body: ByteBuffer, bodyCRC: Int32? = nil, properties: ByteBuffer
    ) {
        self.topic = topic
        self.queueID = queueID
        self.flag = flag
        self.sysFlag = sysFlag
        self.bornTimestamp = bornTimestamp
        self.bornHost = bornHost
        self.storeHost = storeHost
        self.reconsumeTimes = reconsumeTimes
        self.preparedTransactionOffset = preparedTransactionOffset
        self.body = body
        self.bodyCRC = bodyCRC
        self.properties = properties
    }

    /// The system flag with the bits that say how long the two host fields are.
    @inlinable
    package var recordSysFlag: SysFlag {
        let hosts = SysFlag.bornHostV6.rawValue | SysFlag.storeHostV6.rawValue
        let born = bornHost.isV6 ? SysFlag.bornHostV6.rawValue : 0
        let store = storeHost.isV6 ? SysFlag.storeHostV6.rawValue : 0
        return SysFlag(rawValue: sysFlag.rawValue & ~hosts | born | store)
    }

    /// The length of the record that ``NIOCore/ByteBuffer/writeRecord(_:limits:)`` would write.
    package var recordBytes: Int {
        RecordLayout.fixedBytes(recordSysFlag) + body.readableBytes + topic.utf8.count + properties.readableBytes
    }

    /// ``recordBytes`` of what a broker stores.
    ///
    /// - Throws: what ``NIOCore/ByteBuffer/writeRecord(_:limits:)`` does.
    func validRecordBytes(_ limits: RecordLimits) throws(RecordError) -> Int {
        let topicBytes = topic.utf8.count
        if topicBytes == 0 { throw RecordError(.emptyTopic, "the topic is empty") }
        if topicBytes > RecordLayout.maximumTopicBytes {
            throw RecordError(.topicTooLong, "the topic has \(topicBytes) bytes, more than 127")
        }
        if properties.readableBytes > RecordLayout.maximumPropertiesBytes {
            throw RecordError(.propertiesTooLong, "the properties have \(properties.readableBytes) bytes, over 32767")
        }
        if body.readableBytes > limits.maximumBodyBytes {
            let found = body.readableBytes
            throw RecordError(.bodyTooLong, "the body has \(found) bytes, more than \(limits.maximumBodyBytes)")
        }
        let total = recordBytes
        if total > limits.maximumRecordBytes || total > Int(Int32.max) {
            throw RecordError(.recordTooLong, "the record has \(total) bytes, more than \(limits.maximumRecordBytes)")
        }
        return total
    }
}
