package import MQProtocol
import NIOCore

/// One entry of a consume queue: where a record is and what its tag filter looks at. 20 bytes on disk, big-endian.
package struct QueueEntry: Sendable, Hashable {
    package var logOffset: LogOffset
    /// Length of the record in bytes.
    package var size: Int32
    /// Tag hash, or the delivery time in milliseconds in the topics of delayed messages.
    package var tagsCode: Int64

    package init(logOffset: LogOffset, size: Int32, tagsCode: Int64) {
        self.logOffset = logOffset
        self.size = size
        self.tagsCode = tagsCode
    }

    static let bytes = 20
    /// Stands for a queue offset without a record: in front of a queue that is rebuilt when its oldest records are
    /// gone, and for a record that can no longer be read.
    static let blank = QueueEntry(logOffset: .zero, size: .max, tagsCode: 0)

    package var isBlank: Bool { size == .max }
    /// Untouched bytes of a file are zero.
    var isWritten: Bool { size > 0 && logOffset >= .zero }
    /// Whether it says where a record is.
    package var hasPlace: Bool { isWritten && !isBlank }
}

extension ByteBuffer {
    mutating func writeEntry(_ entry: QueueEntry) {
        let start = readableBytes
        reserveCapacity(minimumWritableBytes: QueueEntry.bytes)
        moveWriterIndex(forwardBy: QueueEntry.bytes)
        // One look at the buffer's ownership for all three.
        var bytes = mutableReadableBytesSpan
        bytes.storeBytes(of: entry.logOffset.rawValue.bigEndian, toByteOffset: start, as: Int64.self)
        bytes.storeBytes(of: entry.size.bigEndian, toByteOffset: start + 8, as: Int32.self)
        bytes.storeBytes(of: entry.tagsCode.bigEndian, toByteOffset: start + 12, as: Int64.self)
    }

    /// The entry at position `index` of a buffer that begins with entry 0; nil beyond its end.
    func entry(_ index: Int) -> QueueEntry? {
        // Compared first: an index that comes from a damaged record may be too large for the product.
        guard index >= 0, index < readableBytes / QueueEntry.bytes else { return nil }
        let position = readerIndex + index * QueueEntry.bytes
        guard let offset = getInteger(at: position, as: Int64.self),
            let size = getInteger(at: position + 8, as: Int32.self),
            let tagsCode = getInteger(at: position + 12, as: Int64.self)
        else { return nil }
        return QueueEntry(logOffset: LogOffset(rawValue: offset), size: size, tagsCode: tagsCode)
    }
}
