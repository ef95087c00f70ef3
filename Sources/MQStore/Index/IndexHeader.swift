import MQProtocol
import NIOCore

/// The first 40 bytes of an index file.
struct IndexHeader: Sendable, Hashable {
    static let bytes = 40

    /// Store time and log offset of the first entry; in a file without entries, of the last entry of the file before.
    var begin = Timestamp.zero
    var beginOffset = LogOffset.zero
    var end = Timestamp.zero
    var endOffset = LogOffset.zero
    /// Slots in use.
    var slotCount: Int32 = 0
    /// Number of the next entry; entry 0 is never used. Written as 0 while the file is empty by a stock broker.
    var count: Int32 = 1

    init() {}

    /// The header of the file after this one.
    var successor: IndexHeader {
        var next = IndexHeader()
        next.begin = end
        next.end = end
        next.beginOffset = endOffset
        next.endOffset = endOffset
        return next
    }

    func encode() -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(
            begin.milliseconds, end.milliseconds, beginOffset.rawValue, endOffset.rawValue, slotCount, count
        )
        return buffer
    }

    init?(_ buffer: ByteBuffer) {
        var buffer = buffer
        guard
            let (begin, end, beginOffset, endOffset, slotCount, count) = buffer.readMultipleIntegers(
                as: (Int64, Int64, Int64, Int64, Int32, Int32).self
            )
        else { return nil }
        self.begin = Timestamp(milliseconds: begin)
        self.end = Timestamp(milliseconds: end)
        self.beginOffset = LogOffset(rawValue: beginOffset)
        self.endOffset = LogOffset(rawValue: endOffset)
        self.slotCount = slotCount
        self.count = max(1, count)
    }

    var isEmpty: Bool { count <= 1 }

    /// Whether the file may know messages stored in this time.
    func overlaps(_ from: Timestamp, _ to: Timestamp) -> Bool { from <= end && to >= begin }
}

/// Sizes of an index file and where things are in it.
struct IndexGeometry: Sendable, Hashable {
    var slots: Int
    var entries: Int

    var fileBytes: Int { IndexHeader.bytes + 4 * slots + 20 * entries }
    func slotPosition(_ slot: Int) -> Int { IndexHeader.bytes + 4 * slot }
    func entryPosition(_ number: Int32) -> Int { IndexHeader.bytes + 4 * slots + 20 * Int(number) }
}

/// One entry of an index file, 20 bytes.
struct IndexEntry: Sendable, Hashable {
    static let bytes = 20

    var hash: Int32
    var logOffset: LogOffset
    /// Seconds after the file's begin.
    var seconds: Int32
    /// The entry before this one in its slot; 0 for none.
    var previous: Int32
}

extension [IndexEntry] {
    /// As in the file.
    func encode() -> ByteBuffer {
        var buffer = ByteBuffer(repeating: 0, count: count * IndexEntry.bytes)
        var bytes = buffer.mutableReadableBytesSpan
        for index in indices {
            let (entry, position) = (self[index], index * IndexEntry.bytes)
            bytes.storeBytes(of: entry.hash.bigEndian, toByteOffset: position, as: Int32.self)
            bytes.storeBytes(of: entry.logOffset.rawValue.bigEndian, toByteOffset: position + 4, as: Int64.self)
            bytes.storeBytes(of: entry.seconds.bigEndian, toByteOffset: position + 12, as: Int32.self)
            bytes.storeBytes(of: entry.previous.bigEndian, toByteOffset: position + 16, as: Int32.self)
        }
        return buffer
    }
}

extension ByteBuffer {
    func indexEntry(at position: Int) -> IndexEntry? {
        guard let hash = getInteger(at: position, as: Int32.self),
            let offset = getInteger(at: position + 4, as: Int64.self),
            let seconds = getInteger(at: position + 12, as: Int32.self),
            let previous = getInteger(at: position + 16, as: Int32.self)
        else { return nil }
        return IndexEntry(hash: hash, logOffset: LogOffset(rawValue: offset), seconds: seconds, previous: previous)
    }
}
