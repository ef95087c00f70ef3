import MQProtocol
import NIOCore

/// Reads a whole log, record by record, and goes on behind damage: a flipped bit must not hide what follows it.
struct LogVerifier {
    struct Result {
        /// The start of the oldest file.
        var minimum = LogOffset.zero
        /// Where the next record belongs.
        var end = LogOffset.zero
        var records = 0
        /// Bytes read, without zeros behind the end.
        var bytes = 0
        var lastTimestamp = Timestamp.zero
        /// What is not readable between the minimum and the end, in order.
        var damaged: [Range<LogOffset>] = []
        /// Segment start → store time of its first record.
        var firstTimestamps: [(offset: LogOffset, time: Timestamp)] = []
    }

    private struct Pending {
        var reader: Int
        var position: Int
        var cause: String?
    }

    /// Findings beyond are only counted.
    static let maximumFindings = 1000

    let configuration: StoreConfiguration
    let device: any StorageDevice
    /// Whether the abort mark is there: then a torn tail is nothing to be alarmed about.
    let isUnclean: Bool
    private var flushed: FlushedExtent
    /// The last entries of the queues, where they must tell what was flushed.
    private let evidence: [QueueLoader.Last]
    /// Told of bytes read.
    let progress: (Int) -> Void

    private(set) var findings: [StoreFinding] = []
    private var unlisted = 0
    private var readers: [SegmentReader] = []
    private var pending: Pending?
    /// The log ends at what is pending, whatever follows.
    private var hasEnded = false
    private var result = Result()

    init(
        _ configuration: StoreConfiguration, device: any StorageDevice, isUnclean: Bool,
        flushed: FlushedExtent, evidence: [QueueLoader.Last],
        progress: @escaping (Int) -> Void
    ) {
        self.configuration = configuration
        self.device = device
        self.isUnclean = isUnclean
        self.flushed = flushed
        self.evidence = evidence
        self.progress = progress
    }

    /// - Parameter visit: told of every good record, in order, its bytes, and what is damaged in front of it.
    mutating func run(
        visit: (RecordView, Span<UInt8>, _ damaged: [Range<LogOffset>]) throws(StoreError) -> Void
    ) throws(StoreError) -> Result {
        try findSegments()
        result.minimum = readers.first?.offset ?? .zero
        result.end = result.minimum
        flushed.end = max(flushed.end, evidence.compactMap(endOfRecord).max() ?? .zero)
        for index in readers.indices where !hasEnded {
            noteGap(before: index)
            try scan(index, visit)
        }
        try settleEnd()
        if unlisted > 0 {
            findings.append(
                StoreFinding(
                    .damagedRecord, .loss, configuration.sortedLogDirectories[0],
                    "\(unlisted) more damaged places are not listed", remedy: "restore the files from a copy"))
        }
        return result
    }

    private mutating func findSegments() throws(StoreError) {
        var found: [(offset: LogOffset, path: String, length: Int)] = []
        for directory in configuration.allLogDirectories {
            for entry in try device.list(directory) ?? [] where !entry.isDirectory {
                let path = "\(directory)/\(entry.name)"
                let offset = SegmentName.offset(entry.name)
                if let offset, isPlace(offset) {
                    found.append((offset, path, entry.length))
                } else {
                    try noteStrange(path, offset, entry.length)
                }
            }
        }
        found.sort { $0.offset < $1.offset }
        for (index, file) in found.enumerated() {
            if index > 0, found[index - 1].offset == file.offset {
                findings.append(
                    StoreFinding(
                        .strangeFile, .loss, file.path, "\(found[index - 1].path) is the same part of the log",
                        remedy: "move one of the two elsewhere"))
                continue
            }
            checkLength(file.path, file.length, isLast: index == found.count - 1)
            // A file of no bytes was created and never used; the next start removes it.
            guard file.length > 0 else { continue }
            readers.append(
                try SegmentReader(
                    offset: file.offset, path: file.path, length: file.length,
                    segmentBytes: configuration.segmentBytes, device: device))
        }
    }

    /// Whether a segment may begin there: names that are no offsets of any log do not overflow what is computed.
    private func isPlace(_ offset: LogOffset) -> Bool {
        Int(offset.rawValue) % configuration.segmentBytes == 0
            && offset.advanced(by: configuration.segmentBytes) != nil
    }

    /// With records of its own place in it, the file is one of the log, and it is the size that is wrong.
    private mutating func noteStrange(_ path: String, _ offset: LogOffset?, _ length: Int) throws(StoreError) {
        let cause = "its name is not that of a log file of \(configuration.segmentBytes) bytes"
        guard let offset, try holdsRecords(path, offset, length) else {
            add(.strangeFile, .damage, path, cause, step: .setAside(path: path))
            return
        }
        findings.append(
            StoreFinding(
                .strangeFile, .loss, path, "\(cause), and records of that place are in it",
                remedy: "\(Self.otherSize); else move it elsewhere"))
    }

    private func holdsRecords(_ path: String, _ offset: LogOffset, _ length: Int) throws(StoreError) -> Bool {
        // As if it had been longer: its last record counts too.
        let segmentBytes = length + RecordLayout.blankBytes
        guard length > 0, offset.advanced(by: segmentBytes) != nil else { return false }
        var reader = try SegmentReader(
            offset: offset, path: path, length: length, segmentBytes: segmentBytes, device: device)
        return try reader.holdsRecords()
    }

    private static let otherSize = "if mappedFileSizeCommitLog is another, give the broker's file with -c"

    private mutating func checkLength(_ path: String, _ length: Int, isLast: Bool) {
        let wanted = configuration.segmentBytes
        guard length != wanted else { return }
        let cause = "it has \(length) bytes instead of \(wanted)"
        if length > wanted {
            findings.append(StoreFinding(.wrongLength, .loss, path, cause, remedy: Self.otherSize))
        } else if length == 0, isLast {
            findings.append(StoreFinding(.wrongLength, .note, path, cause, remedy: "the next start removes it"))
        } else {
            add(.wrongLength, .damage, path, cause, step: .lengthen(path: path, to: wanted))
        }
    }

    /// What repairing may not do, because the file is in a directory that is never written to, is left to a person: no
    /// broker starts before.
    private mutating func add(
        _ kind: StoreFinding.Kind, _ severity: StoreFinding.Severity, _ path: String, at offset: Int? = nil,
        _ cause: String, step: RepairStep
    ) {
        guard configuration.readOnlyLogDirectories.contains(FileDevice.parent(of: path)) else {
            findings.append(StoreFinding(kind, severity, path, at: offset, cause, step: step))
            return
        }
        findings.append(
            StoreFinding(
                kind, max(severity, .damage), path, at: offset, cause,
                remedy: "its directory is one of readOnlyLogDirectories (readOnlyCommitLogStorePaths): take it off that"
                    + " list to have it repaired, or move the file elsewhere"))
    }

    private mutating func noteGap(before index: Int) {
        let present = readers[index].offset
        let expected = index == 0 ? present : readers[index - 1].offset + configuration.segmentBytes
        guard present != expected else { return }
        result.damaged.append(expected..<present)
        findings.append(
            StoreFinding(
                .missingSegment, .loss, "\(configuration.sortedLogDirectories[0])/\(SegmentName.text(expected))",
                "the log has no bytes \(expected)..<\(present)",
                remedy: "restore the file from a copy, or move the files before or behind the gap elsewhere"))
    }

    /// Where the record of a queue's entry ends, if the log holds it whole.
    private func endOfRecord(_ last: QueueLoader.Last) -> LogOffset? {
        let place = last.entry.logOffset
        guard let reader = readers.last(where: { $0.offset <= place }), place < reader.offset + reader.length else {
            return nil
        }
        let position = Int(place - reader.offset)
        // A probe of its own: the reader's must still look at what lies in front.
        var probe = SegmentProbe(reader.file, length: reader.length)
        _ = probe.reach(position)
        guard probe.bad.isEmpty else { return nil }
        return reader.region.withBytes(0..<reader.region.count) { bytes in
            guard case .record(let record) = reader.step(bytes, at: position),
                record.queueOffset.rawValue == last.number, record.queueID == last.queue.ref.queueID,
                PropertyScan.equal(bytes, record.topicRange, last.queue.ref.topic)
            else { return nil }
            return place + record.totalSize
        }
    }

    private mutating func scan(
        _ index: Int, _ visit: (RecordView, Span<UInt8>, [Range<LogOffset>]) throws(StoreError) -> Void
    ) throws(StoreError) {
        let region = readers[index].region
        let offset = readers[index].offset
        try region.withBytes(0..<region.count) { (bytes) throws(StoreError) in
            var position = 0
            while position < bytes.count {
                let read = readers[index].probe.reach(position)
                if read > 0 { progress(read) }
                if pending != nil {
                    guard let next = try readers[index].nextStart(bytes, from: position) else { return }
                    leaveFlushed(before: offset + next)
                    let step = readers[index].step(bytes, at: next)
                    guard pending == nil || wasDurable(step, at: offset + next) else {
                        // The next file's first record decides, as at a start.
                        if case .blank = step, index + 1 < readers.count, flushed.time > .zero { return }
                        hasEnded = true
                        return
                    }
                    settleDamage(until: index, next)
                    position = next
                }
                switch readers[index].step(bytes, at: position) {
                case .blank:
                    // Without a next file the log ends in front of the blank record: a stock broker deletes the files
                    // that it prepared.
                    let isLast = index == readers.count - 1
                    result.end = isLast ? offset + position : offset + configuration.segmentBytes
                    result.bytes += bytes.count - position
                    return
                case .nothing(let cause):
                    pending = Pending(reader: index, position: position, cause: cause)
                    position += 1
                case .record(let record):
                    if position == 0 { result.firstTimestamps.append((offset, record.storeTimestamp)) }
                    try visit(record, bytes.extracting(position..<position + record.totalSize), result.damaged)
                    position += record.totalSize
                    result.records += 1
                    result.bytes += record.totalSize
                    result.end = offset + position
                    result.lastTimestamp = max(result.lastTimestamp, record.storeTimestamp)
                }
            }
            // A whole file ends with a blank record or with what cannot be read.
            if pending == nil { pending = Pending(reader: index, position: bytes.count) }
        }
    }

    /// Whether what is good behind damage was flushed. A power loss leaves any part of what was not: records may be
    /// whole behind others that are not, and a recovery ends the log in front of those.
    private func wasDurable(_ step: SegmentReader.Step, at place: LogOffset) -> Bool {
        guard isUnclean, let begun = pending else { return true }
        let begin = readers[begun.reader].offset + begun.position
        guard case .record(let record) = step else { return begin < flushed.end && place <= flushed.end }
        if begin < flushed.end, place <= flushed.end {
            // What only queues know of is not older than what lies in front of it, or it was cut off once.
            return begin < flushed.recorded || record.storeTimestamp >= result.lastTimestamp
        }
        return begin >= flushed.end && flushed.mayCover(behind: result.lastTimestamp) && flushed.covers(record)
    }

    /// Something valid follows: what was not understood is damage in the middle of the log.
    private mutating func settleDamage(until index: Int, _ position: Int) {
        guard let begun = pending else { return }
        pending = nil
        let start = readers[begun.reader].offset + begun.position
        let end = readers[index].offset + position
        guard start < end else { return }
        result.damaged.append(start..<end)
        guard findings.count < Self.maximumFindings else {
            unlisted += 1
            return
        }
        let cause = begun.cause ?? "zeros where records were"
        let isUnreadable = cause.hasSuffix("from the disk")
        findings.append(
            StoreFinding(
                isUnreadable ? .unreadable : .damagedRecord, .loss, readers[begun.reader].path, at: begun.position,
                "\(cause); bytes \(start)..<\(end) of the log are lost, what follows is good",
                remedy: "it stays where it is and is not served; restore the file from a copy to have it back"))
    }

    /// Behind damage a start looks for something whole as far as the log was flushed, and goes on there if there is
    /// nothing.
    private mutating func leaveFlushed(before place: LogOffset) {
        guard isUnclean, place > flushed.end, let begun = pending, let end = flushedEnd(behind: begun)
        else { return }
        settleDamage(until: end.reader, end.position)
        let isThere = readers[end.reader].offset + end.position == place
        pending = isThere ? nil : Pending(reader: end.reader, position: end.position)
    }

    /// Where a start lets the log end though nothing valid follows: behind what was flushed, unless that is zero.
    private func flushedEnd(behind begun: Pending) -> (reader: Int, position: Int)? {
        var (reader, position) = (begun.reader, begun.position)
        while true {
            let offset = readers[reader].offset
            let length = readers[reader].length
            let flushed = min(length, max(0, Int(clamping: flushed.end.rawValue - offset.rawValue)))
            guard position < flushed else { break }
            guard flushed == length, reader + 1 < readers.count else {
                let range = position..<flushed
                let isZero = readers[reader].probe.firstBad(in: range) == nil && readers[reader].region.isZero(range)
                if !isZero { position = flushed }
                break
            }
            (reader, position) = (reader + 1, 0)
        }
        return reader == begun.reader && position == begun.position ? nil : (reader, position)
    }

    /// Nothing valid follows any more: the log ends at what was not understood.
    private mutating func settleEnd() throws(StoreError) {
        if let begun = pending, let end = flushedEnd(behind: begun) {
            settleDamage(until: end.reader, end.position)
            pending = Pending(reader: end.reader, position: end.position)
        }
        guard let begun = pending else { return }
        result.end = readers[begun.reader].offset + begun.position
        for index in readers.indices[begun.reader...] {
            let start = index == begun.reader ? begun.position : 0
            guard let end = try readers[index].lastData(from: start) else { continue }
            let path = readers[index].path
            if let bad = readers[index].probe.firstBad(in: start..<readers[index].length) {
                findings.append(
                    StoreFinding(
                        .unreadable, .loss, path, at: bad.lowerBound,
                        "bytes \(bad.lowerBound)..<\(bad.upperBound) cannot be read from the disk, and no record behind"
                            + " them", remedy: "copy the file to a healthy disk, with what can be read of it"))
                continue
            }
            let cause = begun.cause ?? "zeros, with something else behind them"
            let isTail = index == begun.reader
            add(
                .tornTail, isUnclean ? .note : .damage, path, at: start,
                isTail
                    ? "the log ends here: \(cause); \(end - start) bytes follow that are no record"
                    : "\(end - start) bytes behind the end of the log are no record",
                step: isTail ? .clearTail(path: path, from: start, to: end) : .setAside(path: path))
        }
    }
}
