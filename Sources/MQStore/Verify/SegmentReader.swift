import MQProtocol
import NIOCore

/// One log file of a closed store, read record by record, over damage if need be.
struct SegmentReader {
    enum Step {
        case record(RecordView)
        case blank
        /// Nothing valid begins here; nil when it is zeros.
        case nothing(String?)
    }

    let offset: LogOffset
    let path: String
    /// As the file is now; that of every other segment when the file is whole.
    let length: Int
    let isWhole: Bool
    private let segmentBytes: Int
    let region: MappedRegion
    let file: any StorageFile
    var probe: SegmentProbe
    private let scanner: LogScanner

    init(
        offset: LogOffset, path: String, length: Int, segmentBytes: Int, device: any StorageDevice
    ) throws(StoreError) {
        self.offset = offset
        self.path = path
        self.length = min(length, segmentBytes)
        isWhole = length == segmentBytes
        self.segmentBytes = segmentBytes
        file = try device.open(path, .readOnly)
        region = try file.map(length: self.length)
        probe = SegmentProbe(file, length: self.length)
        scanner = LogScanner(segmentOffset: offset, checksBodies: true, checksRecords: true, mayBeTorn: false)
    }

    func step(_ bytes: Span<UInt8>, at position: Int) -> Step {
        if let bad = probe.firstBad(in: position..<min(position + 8, length)) {
            return .nothing("bytes \(bad.lowerBound)..<\(bad.upperBound) cannot be read from the disk")
        }
        if position == bytes.count, !isWhole { return .nothing(nil) }
        let size = Int(RecordView.sizeAndMagic(bytes, at: position)?.size ?? 0)
        if size > 8, size <= length - position, let bad = probe.firstBad(in: position..<position + size) {
            return .nothing("bytes \(bad.lowerBound)..<\(bad.upperBound) cannot be read from the disk")
        }
        switch scanner.step(bytes, at: position) {
        case .record(let record, _): return .record(record)
        case .blank: return .blank
        case .end(let cause):
            if let record = recordAtCut(bytes, at: position) { return .record(record) }
            return .nothing(cause)
        }
    }

    /// A whole record with no room for a blank one behind it, because there the file was cut short.
    private func recordAtCut(_ bytes: Span<UInt8>, at position: Int) -> RecordView? {
        guard !isWhole, let record = try? RecordView.parse(bytes, at: position) else { return nil }
        let needed = position + record.totalSize + RecordLayout.blankBytes
        guard needed > bytes.count, needed <= segmentBytes else { return nil }
        let objection = RecordRules.objection(
            to: record, in: bytes, at: position, offset: offset + position, checksBody: true, checksRecord: true)
        return objection == nil ? record : nil
    }

    /// Whether a record was written for just its place here, or may have been: what the disk does not return counts.
    mutating func holdsRecords() throws(StoreError) -> Bool {
        let region = region
        return try region.withBytes(0..<region.count) { (bytes) throws(StoreError) -> Bool in
            if try nextStart(bytes, from: 0) != nil { return true }
            return !probe.bad.isEmpty
        }
    }

    /// The next place at or behind `start` where a whole record, written for just that place, or the blank begins.
    mutating func nextStart(_ bytes: Span<UInt8>, from start: Int) throws(StoreError) -> Int? {
        var position = start
        var dataEnd = start
        while position < bytes.count {
            if position >= dataEnd {
                guard let data = try file.nextData(from: position) else { return nil }
                position = max(position, data.lowerBound - 3)
                dataEnd = data.upperBound
            }
            _ = probe.reach(position)
            let blockEnd = min((position / 4096 + 1) * 4096, bytes.count)
            if let bad = probe.firstBad(in: position..<blockEnd) {
                position = max(position + 1, bad.upperBound)
                continue
            }
            // A record's length may begin with zeros in front of the next block.
            if region.isZero(position..<blockEnd) { position = max(position, blockEnd - 3) }
            if let found = self.start(bytes, in: position..<blockEnd) { return found }
            position = blockEnd
        }
        return nil
    }

    private func start(_ bytes: Span<UInt8>, in range: Range<Int>) -> Int? {
        for position in range {
            guard let (size, magic) = RecordView.sizeAndMagic(bytes, at: position), size > 0 else { continue }
            switch magic {
            case RecordLayout.magic, RecordLayout.longTopicMagic:
                if case .record = step(bytes, at: position) { return position }
            case RecordLayout.blankMagic:
                if isWhole, Int(size) == bytes.count - position { return position }
            default:
                continue
            }
        }
        return nil
    }

    /// End of the last 4-KiB block behind `start` that holds anything but zeros; nil when all of it is zero.
    mutating func lastData(from start: Int) throws(StoreError) -> Int? {
        var last: Int?
        var position = start
        while position < length, let data = try file.nextData(from: position) {
            position = max(position, data.lowerBound)
            let end = min(data.upperBound, length)
            while position < end {
                let next = min((position / 4096 + 1) * 4096, end)
                _ = probe.reach(position)
                if probe.firstBad(in: position..<next) != nil || !region.isZero(position..<next) { last = next }
                position = next
            }
        }
        return last
    }
}
