import MQProtocol
import NIOCore

/// Follows the index files entry by entry while the log is read: their order is the log's.
struct IndexVerifier {
    private struct OpenFile {
        var path: String
        var header: IndexHeader
        var file: any StorageFile
        /// Number of the next entry.
        var next: Int32 = 1
        var window = ByteBuffer()
        /// Slot → number of its newest entry so far.
        var heads: [Int32]
        var slotsUsed: Int32 = 0
        var wrongChain: Int32 = 0
    }

    private static let windowEntries = 2048
    /// One is enough to have all of it built again.
    private static let maximumFindings = 100

    let device: any StorageDevice
    let directory: String
    let geometry: IndexGeometry
    /// Every key of a record below must be there.
    let completeBelow: LogOffset
    private var waiting: [SealedIndexFile]
    private var open: OpenFile?
    private var current: IndexEntry?
    private var lastMatched = LogOffset(rawValue: -1)
    private(set) var entries = 0
    private var missing = 0
    private var firstMissing = LogOffset.zero
    private(set) var findings: [StoreFinding] = []
    let progress: (Int) -> Void

    /// - Parameter files: those that are to be trusted, oldest first.
    init(
        _ files: [SealedIndexFile], directory: String, geometry: IndexGeometry, completeBelow: LogOffset,
        device: any StorageDevice, progress: @escaping (Int) -> Void
    ) {
        self.device = device
        self.directory = directory
        self.geometry = geometry
        self.completeBelow = completeBelow
        self.progress = progress
        waiting = files.reversed()
    }

    mutating func begin() throws(StoreError) { try advance() }

    /// Files lead from one to the next: when one is wrong, all are built again.
    private mutating func damage(_ path: String, _ offset: Int?, _ cause: String) {
        guard findings.count < Self.maximumFindings else { return }
        let step = RepairStep.setAside(path: directory)
        findings.append(
            StoreFinding(
                .index, .damage, path, at: offset, cause, step: step,
                remedy: "\(step.text) and \(RepairStep.rebuild.text)"))
    }

    // MARK: The log's keys

    mutating func check(
        _ record: RecordView, _ bytes: Span<UInt8>, _ properties: RecordProperties, prefix: JavaHasher,
        _ log: (minimum: LogOffset, damaged: [Range<LogOffset>])
    ) throws(StoreError) {
        guard open != nil || record.physicalOffset < completeBelow else { return }
        if let range = properties.uniqueKey { try check(bytes, range, prefix, record, log) }
        guard let keys = properties.keys else { return }
        var start = keys.lowerBound
        for position in keys where bytes[position] == 0x20 {
            if position > start { try check(bytes, start..<position, prefix, record, log) }
            start = position + 1
        }
        if start < keys.upperBound { try check(bytes, start..<keys.upperBound, prefix, record, log) }
    }

    private mutating func check(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ prefix: JavaHasher, _ record: RecordView,
        _ log: (minimum: LogOffset, damaged: [Range<LogOffset>])
    ) throws(StoreError) {
        var hasher = prefix
        hasher.combine(bytes.extracting(range))
        let hash = hasher.value == .min ? 0 : abs(hasher.value)
        let offset = record.physicalOffset
        try skip(below: offset, log)
        guard let entry = current, entry.logOffset == offset else {
            // Files that a crash left unfinished are not looked at: behind them nothing is missing.
            guard current != nil || offset < completeBelow else { return }
            if missing == 0 { firstMissing = offset }
            missing += 1
            return
        }
        if entry.hash != hash, let open {
            damage(
                open.path, geometry.entryPosition(open.next - 1), "the entry of the record at \(offset) has another key"
            )
        }
        lastMatched = offset
        entries += 1
        try advance()
    }

    /// Entries in front of `offset` belong to records that are gone, or to none.
    private mutating func skip(
        below offset: LogOffset, _ log: (minimum: LogOffset, damaged: [Range<LogOffset>])
    ) throws(StoreError) {
        while let entry = current, entry.logOffset < offset {
            let isExplained =
                entry.logOffset < log.minimum || entry.logOffset == lastMatched
                || log.damaged.contains { $0.contains(entry.logOffset) }
            if !isExplained, let open {
                damage(
                    open.path, geometry.entryPosition(open.next - 1),
                    "entry \(open.next - 1) points at \(entry.logOffset), where no record with a key is")
            }
            entries += 1
            try advance()
        }
    }

    mutating func finish(_ log: LogVerifier.Result) throws(StoreError) {
        try skip(below: log.end, (log.minimum, log.damaged))
        if let entry = current, let open {
            damage(
                open.path, geometry.entryPosition(open.next - 1),
                "entry \(open.next - 1) points at \(entry.logOffset), the log ends at \(log.end)")
        }
        while current != nil { try advance() }
        guard missing > 0 else { return }
        damage(directory, nil, "\(missing) keys are not in it, the first of the record at \(firstMissing)")
    }

    // MARK: The files' entries

    /// To the next entry, over file ends.
    private mutating func advance() throws(StoreError) {
        current = nil
        while true {
            if open == nil {
                guard let next = waiting.popLast() else { return }
                open = OpenFile(
                    path: next.path, header: next.header, file: try device.open(next.path, .readOnly),
                    heads: [Int32](repeating: 0, count: geometry.slots))
            }
            if let entry = try nextEntry() {
                current = entry
                return
            }
            try close()
        }
    }

    private mutating func nextEntry() throws(StoreError) -> IndexEntry? {
        guard let number = open?.next, let header = open?.header, number < header.count else { return nil }
        if open?.window.readableBytes ?? 0 < IndexEntry.bytes {
            let count = min(Self.windowEntries, Int(header.count - number)) * IndexEntry.bytes
            open?.window.clear()
            var window = ByteBuffer()
            let read = try open?.file.read(at: geometry.entryPosition(number), count: count, into: &window) ?? 0
            progress(read)
            open?.window = window
        }
        guard let entry = open?.window.indexEntry(at: open?.window.readerIndex ?? 0) else { return nil }
        open?.window.moveReaderIndex(forwardBy: IndexEntry.bytes)
        open?.next += 1
        follow(entry, number)
        return entry
    }

    private mutating func follow(_ entry: IndexEntry, _ number: Int32) {
        guard entry.hash >= 0 else {
            if open?.wrongChain == 0 { open?.wrongChain = number }
            return
        }
        let slot = Int(entry.hash) % geometry.slots
        let head = open?.heads[slot] ?? 0
        if head == 0 { open?.slotsUsed += 1 }
        if entry.previous != head, open?.wrongChain == 0 { open?.wrongChain = number }
        open?.heads[slot] = number
    }

    private mutating func close() throws(StoreError) {
        guard let closed = open else { return }
        open = nil
        if closed.wrongChain > 0 {
            damage(
                closed.path, geometry.entryPosition(closed.wrongChain),
                "entry \(closed.wrongChain) does not name the entry before it in its slot")
        }
        if closed.slotsUsed != closed.header.slotCount {
            damage(
                closed.path, 32, "the header counts \(closed.header.slotCount) slots, \(closed.slotsUsed) are in use")
        }
        if let slot = try firstWrongSlot(closed) {
            damage(closed.path, geometry.slotPosition(slot), "slot \(slot) does not name its newest entry")
        }
    }

    private func firstWrongSlot(_ file: OpenFile) throws(StoreError) -> Int? {
        let step = 1 << 16
        var slot = 0
        while slot < geometry.slots {
            let count = min(step, geometry.slots - slot)
            var buffer = ByteBuffer()
            progress(try file.file.read(at: geometry.slotPosition(slot), count: 4 * count, into: &buffer))
            for index in 0..<count {
                guard let value = buffer.getInteger(at: 4 * index, as: Int32.self), value == file.heads[slot + index]
                else { return slot + index }
            }
            slot += count
        }
        return nil
    }
}
