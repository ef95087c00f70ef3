import MQProtocol
import NIOCore
import Synchronization

/// Compares the consume queues with the log, both ways: each record with its entry while the log is read, then each
/// entry with what was read.
struct QueueVerifier {
    /// What the log says of one queue.
    struct Seen {
        /// Queue offsets that have a record.
        var ranges: [Range<Int64>] = []
        var lastRecord = LogOffset.zero
        /// Entries below are durable, whatever happened.
        var trustedEnd: Int64 = 0
        var wrong = Count()
        var missing = Count()
        /// Breaks of the order: they are the log's own damage.
        var breaks: [String] = []
        /// A record beyond the next queue offset, until the one behind it tells whether that is true.
        var leap: Claim?
        /// A record claimed a queue offset that is not its own, and left a gap where that is.
        var hasFalseClaim = false
        /// Entries read ahead.
        var window = ByteBuffer()
        var windowStart: Int64 = 0
        /// Nil until the directory was listed.
        var files: [QueueFile]?

        var end: Int64? { ranges.last?.upperBound }
    }

    struct Count {
        var first: Int64 = 0
        var count = 0

        mutating func add(_ number: Int64) {
            if count == 0 { first = number }
            count += 1
        }
    }

    /// What a record says of its place, and what its entry should be.
    struct Claim {
        var number: Int64
        var entry: QueueEntry
        /// Damage in the log explains why it does not follow.
        var isExplained: Bool
    }

    struct QueueFile {
        var base: Int64
        var path: String
        var length: Int
    }

    private static let windowEntries = 64
    private static let maximumBreaks = 10
    /// Beyond, the names of queue files would overflow; no start believes such a number either.
    private static let maximumNumber = Int64.max / 64

    let device: any StorageDevice
    let table: QueueTable
    let levels: DelayLevels
    private let checksRecords: Bool
    /// Records at or above are dispatched again by the next start: their entries may be anything.
    let trusted: LogOffset
    var lookup = QueueLookup()
    var seen: [Seen] = []
    /// Topics that a broker has deleted: their records need no queues.
    var deletedTopics: Set<String> = []
    private var open: (path: String, file: any StorageFile)?

    init(
        _ configuration: StoreConfiguration, device: any StorageDevice, levels: DelayLevels, trusted: LogOffset,
        forgotten: [String: LogOffset]
    ) {
        self.device = device
        self.levels = levels
        self.trusted = trusted
        checksRecords = configuration.appendsRecordChecksum
        table = QueueTable(
            files: QueueFiles(
                device: device, root: configuration.directory, entriesPerFile: configuration.queueSegmentEntries,
                limit: 1))
        for (topic, offset) in forgotten { table.forget(topic, below: offset) }
    }

    /// The last entry of each queue, as its files are.
    func lastEntries() throws(StoreError) -> [QueueLoader.Last] {
        let limit = LogOffset(rawValue: .max)
        let loader = QueueLoader(table: table, limit: limit, clears: false, recorded: [:], lost: [])
        return try loader.lastEntries(table.files.topics())
    }

    /// The queue of a record; only named in memory.
    mutating func queue(of record: RecordView, _ bytes: Span<UInt8>) -> ConsumeQueue {
        let queue = lookup.queue(topic: bytes.extracting(record.topicRange), queueID: record.queueID, in: table)
        grow(to: queue)
        return queue
    }

    mutating func grow(to queue: ConsumeQueue) {
        while seen.count <= queue.ref.index { seen.append(Seen()) }
    }

    /// - Parameter damagedEnd: where the last damage of the log ends; it explains a gap in the queue offsets.
    mutating func check(
        _ record: RecordView, _ bytes: Span<UInt8>, _ properties: RecordProperties, _ queue: ConsumeQueue,
        damagedEnd: LogOffset
    ) throws(StoreError) {
        let index = queue.ref.index
        let offset = record.physicalOffset
        guard offset >= queue.ignoredBelow else { return }
        let tagsCode = properties.tagsCode(queue.kind, bytes, storedAt: record.storeTimestamp, levels: levels)
        let claim = Claim(
            number: record.queueOffset.rawValue,
            entry: QueueEntry(logOffset: offset, size: Int32(record.totalSize), tagsCode: tagsCode),
            isExplained: seen[index].lastRecord < damagedEnd)
        seen[index].lastRecord = offset
        guard claim.number <= Self.maximumNumber else { return refuse(claim, of: index) }
        try settleLeap(of: queue, behind: claim)
        let isVouchedFor = checksRecords && RecordChecksum.isAtEnd(of: bytes)
        if !isVouchedFor, claim.number > seen[index].end ?? 0 {
            seen[index].leap = claim
        } else {
            try accept(claim, of: queue)
        }
    }

    /// As recovery does: see ``QueueLeaps``.
    ///
    /// - Parameter next: the claim of the queue's next record; nil when there is none.
    mutating func settleLeap(of queue: ConsumeQueue, behind next: Claim?) throws(StoreError) {
        let index = queue.ref.index
        let end = seen[index].end
        guard let leap = seen[index].leap, next?.number ?? .max >= end ?? 0 else { return }
        seen[index].leap = nil
        if let next { guard next.number <= leap.number else { return try accept(leap, of: queue) } }
        let isOneBitOff = (leap.number ^ (end ?? 0)).nonzeroBitCount == 1
        if next == nil, leap.isExplained || end == nil || !isOneBitOff { return try accept(leap, of: queue) }
        seen[index].breaks.append(
            "the record at \(leap.entry.logOffset) claims the queue offset \(leap.number), where \(end ?? 0) follows")
        seen[index].hasFalseClaim = true
    }

    /// Its true place stays empty.
    private mutating func refuse(_ claim: Claim, of index: Int) {
        seen[index].hasFalseClaim = true
        guard seen[index].breaks.count < Self.maximumBreaks else { return }
        seen[index].breaks.append(
            "the record at \(claim.entry.logOffset) claims the queue offset \(claim.number), far beyond any queue")
    }

    private mutating func accept(_ claim: Claim, of queue: ConsumeQueue) throws(StoreError) {
        let index = queue.ref.index
        let isExplained = claim.isExplained || seen[index].hasFalseClaim
        guard note(claim.number, of: index, explained: isExplained) else { return }
        guard claim.entry.logOffset < trusted else { return }
        seen[index].trustedEnd = claim.number + 1
        guard let entry = try entry(claim.number, of: queue), entry.isWritten, !entry.isBlank else {
            seen[index].missing.add(claim.number)
            return
        }
        // Below this, the code is the address of an extension (enableConsumeQueueExt).
        if entry.tagsCode <= Int64(Int32.min) - 1, entry.logOffset == claim.entry.logOffset { return }
        if entry != claim.entry { seen[index].wrong.add(claim.number) }
    }

    /// - Returns: false for an offset that an earlier record has: whose the entry is, is not this one's to say.
    private mutating func note(_ number: Int64, of index: Int, explained: Bool) -> Bool {
        guard let end = seen[index].end else {
            seen[index].ranges = [number..<number + 1]
            return true
        }
        if number == end {
            let last = seen[index].ranges.count - 1
            seen[index].ranges[last] = seen[index].ranges[last].lowerBound..<number + 1
        } else if number == 0 {
            // The queue was deleted and begins anew: what came before needs no entries.
            let files = seen[index].files
            seen[index] = Seen(ranges: [0..<1], files: files)
        } else if number > end {
            if !explained, seen[index].breaks.count < Self.maximumBreaks {
                seen[index].breaks.append("no record has the queue offsets \(end)..<\(number)")
            }
            seen[index].ranges.append(number..<number + 1)
        } else {
            if seen[index].breaks.count < Self.maximumBreaks {
                seen[index].breaks.append("the queue offset \(number) is given again behind \(end - 1)")
            }
            return false
        }
        return true
    }

    // MARK: Entries

    mutating func entry(_ number: Int64, of queue: ConsumeQueue) throws(StoreError) -> QueueEntry? {
        let index = queue.ref.index
        let start = seen[index].windowStart
        if number >= start, let entry = seen[index].window.entry(Int(number - start)) { return entry }
        let files = try files(of: queue)
        let base = table.files.base(of: number)
        guard let file = files.first(where: { $0.base == base }) else { return nil }
        seen[index].window.clear()
        seen[index].windowStart = number
        let position = Int(number - base) * QueueEntry.bytes
        let count = min(Self.windowEntries * QueueEntry.bytes, file.length - position)
        guard count >= QueueEntry.bytes else { return nil }
        _ = try handle(file.path).read(at: position, count: count, into: &seen[index].window)
        return seen[index].window.entry(0)
    }

    mutating func handle(_ path: String) throws(StoreError) -> any StorageFile {
        if let open, open.path == path { return open.file }
        let file = try device.open(path, .readOnly)
        open = (path, file)
        return file
    }

    mutating func files(of queue: ConsumeQueue) throws(StoreError) -> [QueueFile] {
        grow(to: queue)
        if let files = seen[queue.ref.index].files { return files }
        var files: [QueueFile] = []
        for entry in try device.list(queue.directory) ?? [] where !entry.isDirectory {
            guard let base = table.files.base(named: entry.name) else { continue }
            files.append(QueueFile(base: base, path: "\(queue.directory)/\(entry.name)", length: entry.length))
        }
        seen[queue.ref.index].files = files
        return files
    }
}
