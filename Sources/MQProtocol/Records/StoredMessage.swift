package import NIOCore

/// A record read completely: for consumers and tools. The broker's own paths use ``RecordView``.
package struct StoredMessage: Equatable, Sendable {
    package var record: RecordView
    package var topic: String
    package var properties: MessageProperties
    /// As stored, perhaps compressed: a slice of the buffer it was read from.
    package var body: ByteBuffer

    /// Reads one record and moves the reader index behind it; on an error the buffer is left as it was.
    ///
    /// - Throws: the errors of ``RecordView/parse(_:at:)``, `checksumMismatch`.
    package init(reading buffer: inout ByteBuffer) throws(RecordError) {
        let source = buffer
        let bytes = source.readableBytesUInt8Span
        let record = try RecordView.parse(bytes)
        guard record.bodyChecksumMatches(in: bytes) else {
            throw RecordError(.checksumMismatch, "the body of the record at \(record.physicalOffset) is damaged")
        }
        self.record = record
        self.topic = String(buffer: try source.part(record.topicRange))
        self.properties = MessageProperties(text: try source.part(record.propertiesRange))
        self.body = try source.part(record.bodyRange)
        buffer.moveReaderIndex(forwardBy: record.totalSize)
    }

    /// The records of a pull answer, in order.
    package static func list(from buffer: ByteBuffer) throws(RecordError) -> [StoredMessage] {
        var rest = buffer
        var messages: [StoredMessage] = []
        while rest.readableBytes > 0 {
            messages.append(try StoredMessage(reading: &rest))
        }
        return messages
    }

    package var queueID: Int32 { record.queueID }
    package var flag: Int32 { record.flag }
    package var queueOffset: QueueOffset { record.queueOffset }
    package var logOffset: LogOffset { record.physicalOffset }
    package var sysFlag: SysFlag { record.sysFlag }
    package var bornTimestamp: Timestamp { record.bornTimestamp }
    package var bornHost: HostAddress { record.bornHost }
    package var storeTimestamp: Timestamp { record.storeTimestamp }
    package var storeHost: HostAddress { record.storeHost }
    package var reconsumeTimes: Int32 { record.reconsumeTimes }
    package var preparedTransactionOffset: LogOffset { record.preparedTransactionOffset }

    package var tags: String? { properties[PropertyName.tags] }

    /// The pieces of KEYS.
    package var keys: [String] {
        properties[PropertyName.keys]?.split(separator: " ").map(String.init) ?? []
    }

    package var offsetMessageID: OffsetMessageID {
        OffsetMessageID(host: record.storeHost, offset: record.physicalOffset)
    }

    /// What the producer called it, if it did.
    package var uniqueID: String? { properties[PropertyName.uniqueKey] }

    /// The id users see: the unique one, else the place.
    package var messageID: String { uniqueID ?? offsetMessageID.hex }

    /// The body as the producer gave it.
    ///
    /// - Parameter limit: more bytes than this are an error, not an allocation. Default: 4 MiB, as for sending.
    /// - Throws: `unsupportedCompression`, `corruptCompression`, `inflatesBeyondLimit`.
    package func decompressedBody(limit: Int = RecordLimits().maximumBodyBytes) throws(RecordError) -> ByteBuffer {
        guard let compression = sysFlag.compression else { return body }
        return try compression.decompress(body, limit: limit)
    }
}

extension ByteBuffer {
    /// A slice whose range counts from the reader index.
    fileprivate func part(_ range: Range<Int>) throws(RecordError) -> ByteBuffer {
        guard let part = getSlice(at: readerIndex + range.lowerBound, length: range.count) else {
            throw RecordError(.truncated, "a record that ends before byte \(range.upperBound)")
        }
        return part
    }
}
