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
        let first = start - readerIndex
        var position = first
        writeHead(draft, total: Int32(total), crc: crc, at: &position)
        position += start - first
        position += setBytes(draft.body.readableBytesSpan, at: position)
        setInteger(UInt8(draft.topic.utf8.count), at: position)
        position += 1 + setString(draft.topic, at: position + 1)
        setInteger(UInt16(draft.properties.readableBytes), at: position)
        setBytes(draft.properties.readableBytesSpan, at: position + 2)
        return total
    }

    /// Everything up to the length of the body, which is included. `position` counts from the reader index.
    private mutating func writeHead(_ draft: borrowing MessageDraft, total: Int32, crc: Int32, at position: inout Int) {
        var record = mutableReadableBytesSpan
        record.append(total, at: &position)
        record.append(RecordLayout.magic, at: &position)
        record.append(crc, at: &position)
        record.append(draft.queueID, at: &position)
        record.append(draft.flag, at: &position)
        record.append(Int64(0), at: &position)
        record.append(Int64(0), at: &position)
        record.append(draft.recordSysFlag.rawValue, at: &position)
        record.append(draft.bornTimestamp.milliseconds, at: &position)
        record.append(draft.bornHost, at: &position)
        record.append(Int64(0), at: &position)
        record.append(draft.storeHost, at: &position)
        record.append(draft.reconsumeTimes, at: &position)
        record.append(draft.preparedTransactionOffset.rawValue, at: &position)
        record.append(Int32(draft.body.readableBytes), at: &position)
    }

    /// Appends the record that fills the rest of a commit-log file. Only its first 8 bytes mean anything.
    package mutating func writeBlankRecord(bytesLeft: Int32) {
        writeMultipleIntegers(bytesLeft, RecordLayout.blankMagic)
    }
}
