package import MQProtocol
package import NIOCore

/// A record read back from the log, to be stored again in another place: after a delay, as a committed message, as a
/// retry.
package struct StoredRecord: Sendable {
    package let bytes: ByteBuffer
    package let view: RecordView

    /// Nil when the bytes are no record.
    package init?(_ bytes: ByteBuffer) {
        guard let view = try? RecordView.parse(bytes.readableBytesUInt8Span) else { return nil }
        self.init(bytes, view)
    }

    /// - Parameter view: of the buffer's first readable byte on.
    init(_ bytes: ByteBuffer, _ view: RecordView) {
        self.bytes = bytes
        self.view = view
    }

    package var topic: String { text(view.topicRange) }
    package var body: ByteBuffer { slice(view.bodyRange) }
    package var properties: ByteBuffer { slice(view.propertiesRange) }

    package func property(_ name: String) -> String? {
        PropertyScan.value(of: name, in: bytes.readableBytesUInt8Span, range: view.propertiesRange).map(text)
    }

    package func integerProperty(_ name: String) -> Int64? {
        let span = bytes.readableBytesUInt8Span
        guard let range = PropertyScan.value(of: name, in: span, range: view.propertiesRange) else { return nil }
        return PropertyScan.integer(span, range)
    }

    /// The same message bound for another place; everything but topic and queue stays, the body's CRC too: a body that
    /// was damaged meanwhile does not become a sound one.
    package func draft(topic: String, queueID: Int32) -> MessageDraft {
        MessageDraft(
            topic: topic, queueID: queueID, flag: view.flag, sysFlag: view.sysFlag,
            bornTimestamp: view.bornTimestamp, bornHost: view.bornHost, storeHost: view.storeHost,
            reconsumeTimes: view.reconsumeTimes, preparedTransactionOffset: .zero, body: body,
            bodyCRC: view.bodyCRC, properties: properties
        )
    }

    /// Where a half or delayed message really belongs; nil when the record does not say.
    package var realPlace: (topic: String, queueID: Int32)? {
        guard let topic = property(PropertyName.realTopic), !topic.isEmpty,
            let queueID = integerProperty(PropertyName.realQueueID).flatMap(Int32.init(exactly:)), queueID >= 0
        else { return nil }
        return (topic, queueID)
    }

    private func slice(_ range: Range<Int>) -> ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }

    private func text(_ range: Range<Int>) -> String {
        bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
