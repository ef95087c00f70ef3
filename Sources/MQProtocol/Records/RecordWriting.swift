package import NIOCore

extension ByteBuffer {
    /// Appends the record of a message and returns its length.
    ///
    /// Queue offset, physical offset and store timestamp are written as 0: they are known only inside the append lock,
    /// which patches them in place (``RecordLayout``). Nothing is written when this throws.
    ///
    /// - Throws: `emptyTopic`, `topicTooLong`, `propertiesTooLong`, `bodyTooLong`, `recordTooLong`.
    package mutating func writeRecord(
        _ draft: borrowing MessageDraft, limits: RecordLimits = RecordLimits()
    ) throws(RecordError) -> Int {
        try writeRecord(draft, properties: draft.properties.readableBytesUInt8Span, limits: limits)
    }

    /// The same for who has looked at the draft's properties already: each look at a buffer's bytes costs as much as
    /// copying a short text.
    package mutating func writeRecord(
        _ draft: borrowing MessageDraft, properties: Span<UInt8>, limits: RecordLimits
    ) throws(RecordError) -> Int {
        let total = try draft.validRecordBytes(limits)
        let body = draft.body.readableBytesUInt8Span
        let crc = if let known = draft.bodyCRC { known } else { MQProtocol.bodyCRC(body) }
        let start = writerIndex
        reserveCapacity(minimumWritableBytes: total)
        moveWriterIndex(forwardBy: total)
        var position = start - readerIndex
        // One look at the buffer's ownership for all fields.
        var record = mutableReadableBytesSpan
        record.appendHead(of: draft, total: Int32(total), crc: crc, at: &position)
        record.append(body, at: &position)
        let topic = draft.topic.utf8.span
        record.append(UInt8(topic.count), at: &position)
        record.append(topic, at: &position)
        record.append(UInt16(properties.count), at: &position)
        record.append(properties, at: &position)
        return total
    }

    /// Appends the record that fills the rest of a commit-log file. Only its first 8 bytes mean anything.
    package mutating func writeBlankRecord(bytesLeft: Int32) {
        writeMultipleIntegers(bytesLeft, RecordLayout.blankMagic)
    }
}

extension MutableRawSpan {
    /// Everything up to the length of the body, which is included.
    @_lifetime(self: copy self)
    fileprivate mutating func appendHead(
        of draft: borrowing MessageDraft, total: Int32, crc: Int32, at position: inout Int
    ) {
        append(total, at: &position)
        append(RecordLayout.magic, at: &position)
        append(crc, at: &position)
        append(draft.queueID, at: &position)
        append(draft.flag, at: &position)
        append(Int64(0), at: &position)
        append(Int64(0), at: &position)
        append(draft.recordSysFlag.rawValue, at: &position)
        append(draft.bornTimestamp.milliseconds, at: &position)
        append(draft.bornHost, at: &position)
        append(Int64(0), at: &position)
        append(draft.storeHost, at: &position)
        append(draft.reconsumeTimes, at: &position)
        append(draft.preparedTransactionOffset.rawValue, at: &position)
        append(Int32(draft.body.readableBytes), at: &position)
    }
}
