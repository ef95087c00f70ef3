import MQProtocol
import NIOCore

/// The parts of a record in which a flipped bit means something different.
struct RecordField {
    var record: StoredRecord
    let view: RecordView

    init?(_ record: StoredRecord) {
        guard let view = try? RecordView.parse(record.bytes.readableBytesUInt8Span) else { return nil }
        self.record = record
        self.view = view
    }

    /// `__CRC32#`, a separator, ten digits, a separator.
    static let checksumBytes = 20

    /// Positions inside of the record that a kind of fault flips.
    func positions(_ kind: FaultKind, hasRecordChecksum: Bool) -> [Int] {
        let body = view.bodyRange
        let topic = view.topicRange
        let properties = view.propertiesRange
        let text = properties.lowerBound..<(properties.upperBound - (hasRecordChecksum ? Self.checksumBytes : 0))
        switch kind {
        case .flipBody: return Array(body)
        case .flipLength:
            return Array(0..<4) + Array(body.lowerBound - 4..<body.lowerBound) + [topic.lowerBound - 1]
                + Array(topic.upperBound..<properties.lowerBound)
        case .flipChecksum:
            return Array(8..<12) + (hasRecordChecksum ? Array(text.upperBound..<properties.upperBound) : [])
        case .flipHeader: return Array(4..<8) + Array(12..<body.lowerBound - 4)
        case .flipProperties: return Array(topic) + Array(text)
        default: return []
        }
    }

    /// Whether two records say the same in all that a store without record checksums vouches for.
    static func agreesWithoutChecksum(_ one: ByteBuffer, _ other: ByteBuffer) -> Bool {
        guard let one = try? RecordView.parse(one.readableBytesUInt8Span).summary(of: one),
            let other = try? RecordView.parse(other.readableBytesUInt8Span).summary(of: other)
        else { return false }
        return one == other
    }
}

private struct Summary: Equatable {
    var body: ByteBuffer?
    var topic: ByteBuffer?
    var queueID: Int32
    var queueOffset: QueueOffset
}

extension RecordView {
    fileprivate func summary(of bytes: ByteBuffer) -> Summary {
        func part(_ range: Range<Int>) -> ByteBuffer? {
            bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
        }
        return Summary(body: part(bodyRange), topic: part(topicRange), queueID: queueID, queueOffset: queueOffset)
    }
}
