package import MQProtocol
import NIOCore

/// The records of a transaction: half, committed message, op.
package enum HalfRecord {
    /// Room in the properties of a half for what the broker adds when it copies the record, asks about it, or commits
    /// it with a delay: without it an undecided half could neither be copied forward nor be delivered.
    package static let reservedBytes = 512

    /// Turns a message with `TRAN_MSG`, whose properties say where it really belongs, into the half record that waits
    /// for its verdict.
    package static func prepare(_ draft: inout MessageDraft) {
        draft.sysFlag.transactionType = .none
        draft.topic = SystemTopic.half
        draft.queueID = 0
    }

    /// The real message of the half record at `offset`.
    static func committed(_ half: StoredRecord, at offset: LogOffset, topic: String, queueID: Int32) -> MessageDraft {
        var draft = half.draft(topic: topic, queueID: queueID)
        draft.sysFlag.transactionType = .commit
        draft.preparedTransactionOffset = offset
        return draft
    }

    /// The record that ends a half: stock's text, and the verdict as an extension that stock brokers ignore. That of a
    /// rollback bears the key and group of the half: it is all that the log will tell of it.
    ///
    /// - Parameter body: memory for the record's body, which may serve the next op record too.
    static func op(
        _ half: HalfMessage, verdict: Verdict, host: HostAddress, now: Timestamp, body: inout ByteBuffer
    ) -> MessageDraft {
        var properties = verdict == .commit ? commitProperties : rollbackProperties
        if verdict == .rollback, !half.uniqueKey.isEmpty {
            properties.appendProperty(PropertyName.uniqueKey, half.uniqueKey)
            properties.appendProperty(PropertyName.producerGroup, half.group)
        }
        body.clear()
        body.writeDecimal(half.queueOffset.rawValue)
        return MessageDraft(
            topic: SystemTopic.opHalf, queueID: 0, bornTimestamp: now, bornHost: host, storeHost: host, body: body,
            properties: properties
        )
    }

    private static let commitProperties = opProperties(.commit)
    private static let rollbackProperties = opProperties(.rollback)

    private static func opProperties(_ verdict: Verdict) -> ByteBuffer {
        var properties = ByteBuffer()
        properties.appendProperty(PropertyName.waitStored, "true")
        properties.appendProperty(PropertyName.tags, "d")
        properties.appendProperty(ProtocolExtension.verdict.name, verdict.text)
        return properties
    }

    /// What the table needs of a half message that has no place yet, from the sender's properties.
    static func draft(
        _ seen: SendProperties, in properties: ByteBuffer, sent: Timestamp, now: Timestamp
    ) -> StagedReply.HalfDraft {
        func text(_ range: Range<Int>?) -> String {
            range.flatMap { properties.getString(at: properties.readerIndex + $0.lowerBound, length: $0.count) } ?? ""
        }
        let seconds = seen.immunity.flatMap { PropertyScan.integer(properties.readableBytesUInt8Span, $0) }
        return StagedReply.HalfDraft(
            group: text(seen.group), uniqueKey: text(seen.uniqueKey), bornTimestamp: min(sent, now), sent: sent,
            immunity: immunity(seconds)
        )
    }

    /// The half-queue offsets that an op record ends: one number, or several with commas as 5.x writes them.
    package static func endedOffsets(_ op: StoredRecord) -> [QueueOffset] {
        String(buffer: op.body).split(separator: ",").compactMap { Int64($0) }.map { QueueOffset(rawValue: $0) }
    }

    /// What the table needs of a half record that lies at `offset`.
    package static func summary(_ record: StoredRecord, at offset: LogOffset, queueOffset: QueueOffset) -> HalfMessage {
        let uniqueKey = record.property(PropertyName.uniqueKey) ?? ""
        let first = uniqueKey.isEmpty ? record.integerProperty(ProtocolExtension.firstCopy.name) : nil
        let checks = record.integerProperty(PropertyName.transactionCheckTimes) ?? 0
        return HalfMessage(
            logOffset: offset, queueOffset: queueOffset, size: Int32(record.view.totalSize),
            group: record.property(PropertyName.producerGroup) ?? "", uniqueKey: uniqueKey,
            bornTimestamp: min(record.view.bornTimestamp, record.view.storeTimestamp), sent: record.view.bornTimestamp,
            immunity: immunity(record.integerProperty(PropertyName.checkImmunitySeconds)),
            firstCopy: first.map { LogOffset(rawValue: $0) }, earlierChecks: Int(min(max(0, checks), 1_000_000))
        )
    }

    /// Nil when the op record does not say, as a stock broker's.
    package static func verdict(of op: StoredRecord) -> Verdict? {
        op.property(ProtocolExtension.verdict.name).flatMap(Verdict.init(text:))
    }

    /// Seconds of immunity as a duration; what is missing, negative or absurd counts as none.
    package static func immunity(_ seconds: Int64?) -> Duration? {
        guard let seconds, (0...31_536_000).contains(seconds) else { return nil }
        return .seconds(seconds)
    }
}
