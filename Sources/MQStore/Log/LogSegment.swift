package import MQProtocol
package import NIOCore

/// One file of the log, mapped for reading for as long as anyone holds it.
final class LogSegment: Sendable {
    let offset: LogOffset
    let length: Int
    let directory: String
    let path: String
    let file: any StorageFile
    let region: MappedRegion
    /// The file is in a directory that is never written to, nor deleted from.
    let isReadOnly: Bool

    /// With `create`, name and length are durable on return, so only the very last file can be found incomplete after a
    /// crash, and nothing was ever written to that one.
    init(
        offset: LogOffset,
        length: Int,
        directory: String,
        device: any StorageDevice,
        mode: OpenMode
    ) throws(StoreError) {
        self.offset = offset
        self.length = length
        self.directory = directory
        path = "\(directory)/\(SegmentName.text(offset))"
        isReadOnly = mode == .readOnly
        file = try device.open(path, mode)
        if mode == .create {
            try file.setLength(length)
            try file.flush()
            try device.syncDirectory(directory)
        }
        region = try file.map(length: length)
    }

    var end: LogOffset { offset + length }

    func position(of offset: LogOffset) -> Int { Int(offset - self.offset) }
}

/// File names of segments: the offset of the first byte, 20 digits.
enum SegmentName {
    static func text(_ offset: LogOffset) -> String {
        let digits = String(offset.rawValue)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    static func offset(_ text: String) -> LogOffset? {
        guard text.utf8.count == 20, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text).map(LogOffset.init(rawValue:))
    }
}

/// Bytes of one segment, readable for as long as the slice lives, even after the file is deleted.
package struct LogSlice: Sendable {
    let segment: LogSegment
    let range: Range<Int>

    package var offset: LogOffset { segment.offset + range.lowerBound }
    package var count: Int { range.count }
    package var end: LogOffset { segment.offset + range.upperBound }
    /// Whether the slice reaches the end of its segment: what follows is in the next one.
    package var endsSegment: Bool { range.upperBound == segment.length }
    /// The first offset of the next segment.
    package var nextSegment: LogOffset { segment.end }

    package func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try segment.region.withBytes(range, body)
    }

    package func copy(into buffer: inout ByteBuffer) {
        segment.region.copy(range, into: &buffer)
    }
}

package struct SegmentInfo: Sendable, Hashable {
    package var offset: LogOffset
    package var length: Int
    package var path: String
    package var isReadOnly = false
    /// When the file was last written.
    package var modified: Timestamp
}
