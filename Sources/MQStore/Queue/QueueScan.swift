import MQProtocol
import NIOCore

/// One walk over the entries of a queue, collecting records for a pull.
struct QueueScan {
    /// Entries that a pull which matches nothing looks at before it gives up.
    private static let minimumEntries = 800
    private static let entriesPerRead = 64

    let log: CommitLog
    let limits: PullLimits
    let maximumCount: Int
    let coldDistance: Int64
    let diskDistance: Int64
    /// Whether records may be read that are not in memory for certain.
    let mayWait: Bool
    /// Damaged records met on the way: file, position and cause.
    private(set) var complaints: [String] = []

    /// Readable part of the segment of the last record.
    private var slice: LogSlice?
    /// Entries of records below this belong to a segment that is gone.
    private var skipBelow = LogOffset.zero

    init(
        log: CommitLog, limits: PullLimits, maximumCount: Int, coldDistance: Int64, diskDistance: Int64, mayWait: Bool
    ) {
        self.log = log
        self.limits = limits
        self.maximumCount = maximumCount
        self.coldDistance = coldDistance
        self.diskDistance = diskDistance
        self.mayWait = mayWait
    }

    /// - Parameter from: at or above the queue's minimum and below its end.
    mutating func run(_ queue: ConsumeQueue, from: Int64, filter: TagFilter, _ selection: inout Selection) {
        let fileEnd = queue.files.base(of: from) + queue.files.entriesPerFile
        let wanted = Int64(max(Self.minimumEntries, maximumCount))
        let limit = min(from + wanted, min(selection.maximum.rawValue, fileEnd))
        let logEnd = log.appendedOffset
        var number = from
        // A pull that is content with few messages does not read many entries.
        var count = min(Self.entriesPerRead, max(1, maximumCount))
        selection.status = .noMatchedMessage
        scan: while number < limit {
            guard let entries = queue.entries(from: number, count: min(count, Int(limit - number))) else { break }
            for index in 0..<entries.readableBytes / QueueEntry.bytes {
                guard let entry = entries.entry(index) else { break scan }
                let distance = entry.isWritten ? logEnd - entry.logOffset : 0
                let isOnDisk = distance > diskDistance
                if !entry.isWritten, queue.isUncertain(number) { break scan }
                if selection.count > 0, !entry.isBlank, isEnough(selection, entry, isOnDisk) { break scan }
                if distance > coldDistance, !mayWait, !entry.isBlank, filter.matches(tagsCode: entry.tagsCode) {
                    selection.mustWait = selection.count == 0
                    break scan
                }
                if let cause = look(at: entry, number, of: queue, isOnDisk: isOnDisk, filter, &selection) {
                    complaints.append("\(queue.directory): entry \(number) is damaged and skipped: \(cause)")
                }
                number += 1
            }
            count = Self.entriesPerRead
        }
        selection.nextBegin = QueueOffset(rawValue: number)
        if number == from {
            selection.status = .offsetFoundNull
            // An entry that is there and cannot be read just now is not passed over.
            selection.nextBegin = QueueOffset(rawValue: queue.has(from) ? from : fileEnd)
        }
        if selection.count > 0 { selection.status = .found }
    }

    private func isEnough(_ selection: Selection, _ entry: QueueEntry, _ isOnDisk: Bool) -> Bool {
        if selection.count >= maximumCount { return true }
        if selection.count >= (isOnDisk ? limits.coldMessages : limits.hotMessages) { return true }
        return selection.totalBytes + Int(entry.size) > (isOnDisk ? limits.coldBytes : limits.hotBytes)
    }

    /// - Returns: why this cannot be an entry of the log; nil when it can.
    private mutating func look(
        at entry: QueueEntry, _ number: Int64, of queue: ConsumeQueue, isOnDisk: Bool, _ filter: TagFilter,
        _ selection: inout Selection
    ) -> String? {
        if entry.isBlank {
            selection.status = .messageWasRemoving
            return nil
        }
        guard entry.isWritten else {
            selection.status = .messageWasRemoving
            return "\(entry.size) bytes at \(entry.logOffset)"
        }
        if entry.logOffset < skipBelow { return nil }
        guard filter.matches(tagsCode: entry.tagsCode) else {
            selection.status = .noMatchedMessage
            return nil
        }
        guard let (slice, position) = place(of: entry) else {
            selection.status = .messageWasRemoving
            guard entry.logOffset < log.minimumOffset else {
                return "\(entry.size) bytes at \(entry.logOffset), which the log does not have"
            }
            let bytes = Int64(log.configuration.segmentBytes)
            skipBelow = LogOffset(rawValue: (entry.logOffset.rawValue / bytes + 1) * bytes)
            return nil
        }
        guard let stored = storeTimestamp(of: entry, number, of: queue, in: slice, at: position) else {
            selection.status = .messageWasRemoving
            return nil
        }
        take(entry, slice, storedAt: stored, &selection)
        selection.isOnDisk = selection.isOnDisk || isOnDisk
        return nil
    }

    /// Where the whole record is readable; nil when it is not.
    private mutating func place(of entry: QueueEntry) -> (LogSlice, Int)? {
        let size = Int(entry.size)
        if let slice, entry.logOffset >= slice.offset, entry.logOffset - slice.offset <= Int64(slice.count - size) {
            return (slice, Int(entry.logOffset - slice.offset))
        }
        guard size > 0, let found = log.readable(from: entry.logOffset), size <= found.count else { return nil }
        slice = found
        return (found, 0)
    }

    /// Checks that the record the entry speaks of begins here, whole: its bytes may come from the disk just now. And
    /// that it is this queue's at this number: where records have no checksum nothing else tells, and a consumer would
    /// note another place than the one it read.
    private mutating func storeTimestamp(
        of entry: QueueEntry, _ number: Int64, of queue: ConsumeQueue, in slice: LogSlice, at position: Int
    ) -> Timestamp? {
        let found = slice.withBytes { bytes -> (cause: String?, time: Timestamp) in
            let bytes = bytes.extracting(position..<position + Int(entry.size))
            do throws(RecordError) {
                let record = try RecordView.parse(bytes)
                if record.totalSize != Int(entry.size) {
                    return ("length \(record.totalSize) instead of \(entry.size)", .zero)
                }
                if record.physicalOffset != entry.logOffset {
                    return ("written at \(record.physicalOffset), it says", .zero)
                }
                let isHere = record.queueOffset.rawValue == number && record.queueID == queue.ref.queueID
                let topic = queue.topicBytes
                guard isHere, PropertyScan.equal(bytes, record.topicRange, topic.span) else {
                    return ("it says that it is at \(record.queueOffset) of another queue", .zero)
                }
                return (log.damage(to: record, bytes), record.storeTimestamp)
            } catch {
                return (error.message, .zero)
            }
        }
        guard let cause = found.cause else { return found.time }
        complaints.append("the record in \(slice.place(position)) is damaged and skipped: \(cause)")
        return nil
    }

    private func take(_ entry: QueueEntry, _ slice: LogSlice, storedAt time: Timestamp, _ selection: inout Selection) {
        let size = Int(entry.size)
        if selection.count == 0 { selection.firstStoreTimestamp = time }
        selection.lastStoreTimestamp = time
        selection.count += 1
        selection.totalBytes += size
        if let last = selection.ranges.last, last.logOffset + last.bytes == entry.logOffset,
            last.segment.offset <= entry.logOffset, entry.logOffset + size <= last.segment.end
        {
            selection.ranges[selection.ranges.count - 1].bytes += size
        } else {
            selection.ranges.append(Selection.Range(segment: slice, logOffset: entry.logOffset, bytes: size))
        }
    }
}
