import MQProtocol
import NIOCore

/// RocketMQ 5's checksum of a whole record: a last property, `__CRC32#`, over everything before it.
///
/// The header's own checksum covers the body alone; a torn or altered header, topic or property shows only here. A
/// record without this property is taken as it is: brokers write it only when they are told to, and compare it then.
/// This one also gives it to messages that are stored again and could look torn without it.
enum RecordChecksum {
    /// `__CRC32#`, 0x01, ten decimal digits with the lowest first, 0x02.
    static let bytes = name.count + 1 + digits + 1

    private static let name: [UInt8] = Array("__CRC32#".utf8)
    private static let digits = 10

    /// The draft with room for the checksum at its end.
    static func reserved(_ draft: consuming MessageDraft) -> MessageDraft {
        let end = draft.properties.writerIndex
        if draft.properties.readableBytes > 0, draft.properties.getInteger(at: end - 1) != PropertyScan.itemEnd {
            draft.properties.writeInteger(PropertyScan.itemEnd)
        }
        draft.properties.writeBytes(name)
        draft.properties.writeInteger(PropertyScan.nameEnd)
        draft.properties.writeRepeatingByte(UInt8(ascii: "0"), count: digits)
        draft.properties.writeInteger(PropertyScan.itemEnd)
        return draft
    }

    /// The draft without the checksum of the record that it was read from, or that a client made up.
    static func removed(from draft: consuming MessageDraft) -> MessageDraft {
        while isAtEnd(of: draft.properties.readableBytesUInt8Span) {
            draft.properties.moveWriterIndex(to: draft.properties.writerIndex - bytes)
        }
        return draft
    }

    /// Whether the draft, which has no checksum, leaves no room for one among its properties, and may go without: not
    /// when its own end would be taken for a damaged checksum.
    static func mustBeLeftOut(of draft: borrowing MessageDraft) -> Bool {
        let properties = draft.properties.readableBytesUInt8Span
        let isOpen = properties.count > 0 && properties[properties.count - 1] != PropertyScan.itemEnd
        let total = properties.count + (isOpen ? 1 : 0) + bytes
        return total > RecordLayout.maximumPropertiesBytes && !isAlmostAtEnd(of: properties)
    }

    /// Fills in the checksum of a record whose other bytes are complete.
    ///
    /// - Parameter record: counted from the first readable byte.
    static func seal(_ record: Range<Int>, in buffer: inout ByteBuffer) {
        let start = record.upperBound - bytes
        var rest = bodyCRC(buffer.readableBytesUInt8Span.extracting(record.lowerBound..<start))
        let first = buffer.readerIndex + start + name.count + 1
        for digit in 0..<digits {
            buffer.setInteger(UInt8(ascii: "0") + UInt8(rest % 10), at: first + digit)
            rest /= 10
        }
    }

    /// Whether the record ends with its own checksum: then all of it is as it was stored.
    static func vouches(for record: Span<UInt8>) -> Bool { isAtEnd(of: record) && matches(record) }

    /// False when the record ends with a checksum that is not its own, or with what one damaged byte made of one.
    static func matches(_ record: Span<UInt8>) -> Bool {
        guard record.count > bytes else { return true }
        guard isAtEnd(of: record) else { return !isAlmostAtEnd(of: record) }
        let start = record.count - bytes
        var expected: Int64 = 0
        for position in ((start + name.count + 1)..<(record.count - 1)).reversed() {
            expected = expected * 10 + Int64(record[position] - UInt8(ascii: "0"))
        }
        return expected == Int64(bodyCRC(record.extracting(0..<start)))
    }

    /// Whether all but one of the bytes that every checksum has are there.
    private static func isAlmostAtEnd(of record: Span<UInt8>) -> Bool {
        let start = record.count - bytes
        var strangers = record[record.count - 1] == PropertyScan.itemEnd ? 0 : 1
        if record[start + name.count] != PropertyScan.nameEnd { strangers += 1 }
        for index in name.indices where record[start + index] != name[index] { strangers += 1 }
        for position in (start + name.count + 1)..<(record.count - 1)
        where !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(record[position]) {
            strangers += 1
        }
        return strangers <= 1
    }

    /// Whether the text ends with a checksum. Only our own may be stored: any other would look like damage.
    static func isAtEnd(of text: Span<UInt8>) -> Bool {
        let start = text.count - bytes
        guard start >= 0, text[text.count - 1] == PropertyScan.itemEnd, text[start + name.count] == PropertyScan.nameEnd
        else { return false }
        for index in 0..<name.count where text[start + index] != name[index] { return false }
        for index in (start + name.count + 1)..<(text.count - 1) where !(0x30...0x39).contains(text[index]) {
            return false
        }
        return true
    }
}
