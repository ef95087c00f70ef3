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
        try draft.validate(limits)
        let total = draft.recordBytes
        let crc = MQProtocol.bodyCRC(draft.body.readableBytesUInt8Span)
        let start = writerIndex
        reserveCapacity(minimumWritableBytes: total)
        moveWriterIndex(forwardBy: total)
        let bodyStart = start + RecordLayout.fixedBytes(draft.recordSysFlag) - 3
        setBytes(draft.body.readableBytesSpan, at: bodyStart)
        var position = start - readerIndex
        // One look at the buffer's ownership for all other fields.
        var record = mutableReadableBytesSpan
        record.appendHead(of: draft, total: Int32(total), crc: crc, at: &position)
        position += draft.body.readableBytes
        let topic = draft.topic.utf8.span
        record.append(UInt8(topic.count), at: &position)
        record.append(topic, at: &position)
        record.append(UInt16(draft.properties.readableBytes), at: &position)
        record.append(draft.properties.readableBytesUInt8Span, at: &position)
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
