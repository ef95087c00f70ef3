import MQProtocol
import NIOCore

/// What a record must be besides well-formed, checked when it is added and again when it is read back by recovery.
enum RecordRules {
    /// - Parameters:
    ///   - properties: those of the draft.
    ///   - queue: where it goes; nearly always a queue of the draft's topic, whose name is known then.
    ///   - allowsOddProperties: whether they may be as recovery accepts them, not only as a sender may send them.
    static func check(
        _ draft: borrowing MessageDraft, properties: Span<UInt8>, for queue: QueueRef, allowsOddProperties: Bool
    ) throws(StoreError) {
        guard draft.topic == queue.topic ? queue.hasTopicName : isTopic(draft.topic.utf8.span) else {
            throw StoreError(
                .illegalRecord, "the topic \"\(draft.topic)\" is empty or has characters besides ^[%|a-zA-Z0-9_-]+$")
        }
        if !allowsOddProperties, areOdd(properties) {
            throw StoreError(
                .illegalRecord,
                "the properties of a message to \(draft.topic) are not name-value pairs without zero bytes")
        }
        guard draft.queueID >= 0 else {
            throw StoreError(.illegalRecord, "the queue id \(draft.queueID) of a message to \(draft.topic) is negative")
        }
    }

    /// Whether properties are other than a sender may send them: such records look torn, see ``oddity(of:in:)``.
    static func areOdd(_ properties: Span<UInt8>) -> Bool {
        !PropertyScan.isWellFormed(properties, 0..<properties.count, allowsZero: false)
    }

    /// Why the record cannot have been written by a broker at `offset`; nil when it can.
    static func objection(
        to record: RecordView,
        in bytes: Span<UInt8>,
        at position: Int,
        offset: LogOffset,
        checksBody: Bool,
        checksRecord: Bool
    ) -> String? {
        if record.physicalOffset != offset { return "the record says that it was written at \(record.physicalOffset)" }
        if record.queueOffset < .zero || record.queueID < 0 { return "the record's queue place is negative" }
        let whole = bytes.extracting(position..<position + record.totalSize)
        if !isTopic(whole.extracting(record.topicRange)) { return "the record's topic is not a topic name" }
        return damage(to: record, in: bytes, at: position, checksBody: checksBody, checksRecord: checksRecord)
    }

    /// Which of the record's checksums does not match its bytes; nil when each one that is looked at does.
    static func damage(
        to record: RecordView,
        in bytes: Span<UInt8>,
        at position: Int,
        checksBody: Bool,
        checksRecord: Bool
    ) -> String? {
        #if !ESCROW_BUG_NO_CRC
        if checksRecord {
            let whole = bytes.extracting(position..<position + record.totalSize)
            guard RecordChecksum.matches(whole) else { return "the record's CRC does not match" }
            // It covers the body too.
            if RecordChecksum.isAtEnd(of: whole) { return nil }
        }
        if checksBody, !record.bodyChecksumMatches(in: bytes, at: position) { return "the body's CRC does not match" }
        #endif
        return nil
    }

    /// How the properties differ from what this broker accepts from a sender; nil when they do not.
    ///
    /// The end of a torn record is zero, since the log is zero ahead of its end, and no CRC covers the properties: a
    /// zero byte is how a tear inside of their last value shows. Hence nobody may send one. A stock broker stores them,
    /// and the text of a batch's items as it came: what is odd is not torn for certain. It is not when a checksum of
    /// the whole record matches, and this broker gives one to what it stores again of such messages.
    ///
    /// - Parameter whole: the record's bytes.
    static func oddity(of record: RecordView, in whole: Span<UInt8>) -> String? {
        if !PropertyScan.isWellFormed(whole, record.propertiesRange) { return "the record's properties do not parse" }
        if hasZero(whole.extracting(record.propertiesRange)) { return "the record's properties have a zero byte" }
        return nil
    }

    private static func hasZero(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where text[index] == 0 { return true }
        return false
    }

    /// Whether every byte is one that RocketMQ allows in topic names: `%`, `|`, `_`, `-`, letters and digits.
    static func isTopic(_ name: Span<UInt8>) -> Bool {
        for index in name.indices {
            switch name[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): continue
            case UInt8(ascii: "%"), UInt8(ascii: "|"): continue
            default: return false
            }
        }
        return name.count > 0
    }
}
