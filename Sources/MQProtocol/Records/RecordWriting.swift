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
        let sysFlag = draft.recordSysFlag
        reserveCapacity(minimumWritableBytes: total)
        let crc = MQProtocol.bodyCRC(draft.body.readableBytesUInt8Span)
        if case .v4(let born) = draft.bornHost.ip, case .v4(let store) = draft.storeHost.ip {
            // The usual record in one call: each call checks the buffer's ownership and room again.
            writeMultipleIntegers(
                Int32(total), RecordLayout.magic, crc, draft.queueID, draft.flag, Int64(0), Int64(0), sysFlag.rawValue,
                draft.bornTimestamp.milliseconds, born, draft.bornHost.port, Int64(0), store, draft.storeHost.port,
                draft.reconsumeTimes)
        } else {
            writeMultipleIntegers(
                Int32(total), RecordLayout.magic, crc, draft.queueID, draft.flag, Int64(0), Int64(0), sysFlag.rawValue,
                draft.bornTimestamp.milliseconds)
            writeHost(draft.bornHost)
            writeInteger(Int64(0))
            writeHost(draft.storeHost)
            writeInteger(draft.reconsumeTimes)
        }
        writeMultipleIntegers(draft.preparedTransactionOffset.rawValue, Int32(draft.body.readableBytes))
        writeImmutableBuffer(draft.body)
        writeInteger(UInt8(draft.topic.utf8.count))
        writeString(draft.topic)
        writeInteger(UInt16(draft.properties.readableBytes))
        writeImmutableBuffer(draft.properties)
        return total
    }

    /// Appends the record that fills the rest of a commit-log file. Only its first 8 bytes mean anything.
    package mutating func writeBlankRecord(bytesLeft: Int32) {
        writeMultipleIntegers(bytesLeft, RecordLayout.blankMagic)
    }
}
