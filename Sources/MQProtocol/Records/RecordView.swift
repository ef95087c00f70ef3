/// The fixed fields of one record and where its parts are, read without copying.
///
/// Ranges count from the record's first byte. Everything was checked against the record's length: a caller that keeps
/// the bytes may slice without looking again. The checksum is apart, because it costs a pass over the body.
package struct RecordView: Hashable, Sendable {
    package var totalSize: Int
    /// The masked CRC-32 that was written with the body.
    package var bodyCRC: Int32
    package var queueID: Int32
    package var flag: Int32
    package var queueOffset: QueueOffset
    package var physicalOffset: LogOffset
    package var sysFlag: SysFlag
    package var bornTimestamp: Timestamp
    package var bornHost: HostAddress
    package var storeTimestamp: Timestamp
    package var storeHost: HostAddress
    package var reconsumeTimes: Int32
    package var preparedTransactionOffset: LogOffset
    package var bodyRange: Range<Int>
    package var topicRange: Range<Int>
    package var propertiesRange: Range<Int>

    /// The length and the magic code at `position`; nil when fewer than 8 bytes are there.
    ///
    /// For scanning a log: tells a blank record and untouched zeros from a message before it is parsed.
    @inlinable
    package static func sizeAndMagic(_ bytes: Span<UInt8>, at position: Int = 0) -> (size: Int32, magic: Int32)? {
        guard position >= 0, bytes.count >= 8, position <= bytes.count - 8 else { return nil }
        return (bytes.bigEndian(Int32.self, at: position), bytes.bigEndian(Int32.self, at: position + 4))
    }

    /// Reads the record whose first byte is at `position`; more bytes may follow it.
    ///
    /// - Throws: `truncated` when the bytes end before the record does, `badMagic` when it is not a message,
    ///   `malformed` when its lengths contradict each other.
    package static func parse(_ bytes: Span<UInt8>, at position: Int = 0) throws(RecordError) -> RecordView {
        guard let (size, magic) = sizeAndMagic(bytes, at: position) else {
            throw RecordError(.truncated, "fewer than 8 bytes at \(position)")
        }
        let topicLengthBytes = try topicLengthBytes(magic, at: position)
        let total = Int(size)
        guard total >= RecordLayout.fixedBytes + topicLengthBytes - 1 else {
            throw RecordError(.malformed, "a record of \(total) bytes at \(position)")
        }
        guard total <= bytes.count - position else {
            throw RecordError(.truncated, "\(bytes.count - position) of \(total) bytes at \(position)")
        }
        let record = bytes.extracting(position..<(position + total))
        let sysFlag = SysFlag(rawValue: record.bigEndian(Int32.self, at: RecordLayout.sysFlag))
        guard total >= RecordLayout.fixedBytes(sysFlag) + topicLengthBytes - 1 else {
            throw RecordError(.malformed, "a record of \(total) bytes with IPv6 hosts at \(position)")
        }
        let parts = try parts(record, sysFlag, topicLengthBytes)
        return RecordView(record, sysFlag, parts)
    }

    /// Whether the body of the record at `position` has the CRC written in it. The record was parsed from there.
    package func bodyChecksumMatches(in bytes: Span<UInt8>, at position: Int = 0) -> Bool {
        let body = bytes.extracting((position + bodyRange.lowerBound)..<(position + bodyRange.upperBound))
        return MQProtocol.bodyCRC(body) == bodyCRC
    }
}

extension RecordView {
    private typealias Parts = (body: Range<Int>, topic: Range<Int>, properties: Range<Int>)

    private static func topicLengthBytes(_ magic: Int32, at position: Int) throws(RecordError) -> Int {
        switch magic {
        case RecordLayout.magic: return 1
        case RecordLayout.longTopicMagic: return 2
        default:
            let found = String(UInt32(bitPattern: magic), radix: 16)
            throw RecordError(.badMagic, "magic code \(found) at \(position)")
        }
    }

    /// Follows the three lengths; together with the fixed fields they must make up the record exactly.
    private static func parts(
        _ record: Span<UInt8>, _ sysFlag: SysFlag, _ topicLengthBytes: Int
    ) throws(RecordError) -> Parts {
        let variableBytes = record.count - RecordLayout.fixedBytes(sysFlag) - (topicLengthBytes - 1)
        let bodyStart = RecordLayout.fixedBytes(sysFlag) - 3
        let bodyBytes = Int(record.bigEndian(Int32.self, at: bodyStart - 4))
        guard bodyBytes >= 0, bodyBytes <= variableBytes else {
            throw RecordError(.malformed, "a body of \(bodyBytes) bytes in a record of \(record.count)")
        }
        let body = bodyStart..<(bodyStart + bodyBytes)
        let topicStart = body.upperBound + topicLengthBytes
        let topicBytes =
            topicLengthBytes == 1
            ? Int(record[body.upperBound]) : Int(record.bigEndian(Int16.self, at: body.upperBound))
        guard topicBytes >= 0, topicBytes <= variableBytes - bodyBytes else {
            throw RecordError(.malformed, "a topic of \(topicBytes) bytes in a record of \(record.count)")
        }
        let topic = topicStart..<(topicStart + topicBytes)
        let propertyBytes = Int(record.bigEndian(Int16.self, at: topic.upperBound))
        guard propertyBytes >= 0, propertyBytes == variableBytes - bodyBytes - topicBytes else {
            throw RecordError(.malformed, "properties of \(propertyBytes) bytes in a record of \(record.count)")
        }
        return (body, topic, (topic.upperBound + 2)..<record.count)
    }

    private init(_ record: Span<UInt8>, _ sysFlag: SysFlag, _ parts: Parts) {
        let storeTimestampAt = RecordLayout.storeTimestamp(sysFlag)
        let afterHosts = RecordLayout.fixedBytes(sysFlag) - 19
        totalSize = record.count
        bodyCRC = record.bigEndian(Int32.self, at: RecordLayout.bodyCRC)
        queueID = record.bigEndian(Int32.self, at: RecordLayout.queueID)
        flag = record.bigEndian(Int32.self, at: RecordLayout.flag)
        queueOffset = QueueOffset(rawValue: record.bigEndian(Int64.self, at: RecordLayout.queueOffset))
        physicalOffset = LogOffset(rawValue: record.bigEndian(Int64.self, at: RecordLayout.physicalOffset))
        self.sysFlag = sysFlag
        bornTimestamp = Timestamp(milliseconds: record.bigEndian(Int64.self, at: RecordLayout.bornTimestamp))
        bornHost = record.host(at: RecordLayout.bornHost, isV6: sysFlag.contains(.bornHostV6))
        storeTimestamp = Timestamp(milliseconds: record.bigEndian(Int64.self, at: storeTimestampAt))
        storeHost = record.host(at: storeTimestampAt + 8, isV6: sysFlag.contains(.storeHostV6))
        reconsumeTimes = record.bigEndian(Int32.self, at: afterHosts)
        preparedTransactionOffset = LogOffset(rawValue: record.bigEndian(Int64.self, at: afterHosts + 4))
        bodyRange = parts.body
        topicRange = parts.topic
        propertiesRange = parts.properties
    }
}
