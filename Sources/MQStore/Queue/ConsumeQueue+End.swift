import MQProtocol
import NIOCore

/// Where the entries of a queue file end.
extension ConsumeQueue {
    func size(_ file: any StorageFile, _ index: Int64) throws(StoreError) -> Int32 {
        try read(file, index)?.size ?? 0
    }

    func read(_ file: any StorageFile, _ index: Int64) throws(StoreError) -> QueueEntry? {
        var buffer = ByteBuffer()
        _ = try file.read(at: Int(index) * QueueEntry.bytes, count: QueueEntry.bytes, into: &buffer)
        return buffer.entry(0)
    }

    /// Whether the file ends with just so many entries: the last of them has a record below the limit, and nothing is
    /// behind it. One read, for stores of very many queues.
    func holds(_ file: any StorageFile, exactly count: Int64, below limit: LogOffset) throws(StoreError) -> Bool {
        guard count > 0, count <= files.entriesPerFile else { return false }
        let wanted = count == files.entriesPerFile ? 1 : 2
        var buffer = ByteBuffer()
        _ = try file.read(at: Int(count - 1) * QueueEntry.bytes, count: wanted * QueueEntry.bytes, into: &buffer)
        guard let last = buffer.entry(0), last.isWritten, !last.isBlank, last.logOffset < limit else { return false }
        return wanted == 1 || buffer.entry(1)?.size == 0
    }

    /// The last entry of the files, of a record below the limit, and its number. They are only read, not taken over.
    func lastEntry(below limit: LogOffset) throws(StoreError) -> (number: Int64, entry: QueueEntry)? {
        for found in try (files.device.list(directory) ?? []).reversed() {
            guard !found.isDirectory, found.length == files.fileBytes, let base = files.base(named: found.name) else {
                continue
            }
            let file = try files.device.open("\(directory)/\(found.name)", .readOnly)
            let count = try end(of: file, base, limit: limit).count
            guard count > 0, let last = try read(file, count - 1), last.hasPlace else { continue }
            return (base + count - 1, last)
        }
        return nil
    }

    /// Where the entries of a file end, and what else was found there.
    struct FileEnd {
        /// Entries from the file's first on that are written and below the limit.
        var count: Int64
        /// Whether bits flipped in the zeros behind it.
        var hasStray = false
        /// Why entries that were durable are not what they were.
        var damage: String?
    }

    /// Finds the end by halves, believing that nothing is written behind an empty place.
    ///
    /// One flipped bit misleads such a search. In the zeros behind the end it makes an entry, whose place would become
    /// the end: messages that belong in front of it could not be entered. In an entry it makes the end, and what was
    /// durable behind it would be cleared. The first is told by its looks; the second by neighbours that contradict
    /// each other, and then only the log knows.
    func end(of file: any StorageFile, _ base: Int64, limit: LogOffset) throws(StoreError) -> FileEnd {
        var end = FileEnd(count: files.entriesPerFile)
        while true {
            end.count = try countEntries(file, in: end.count, limit)
            guard end.count > 0, base + end.count > 1, try read(file, end.count - 1)?.isFlippedZero ?? false else {
                break
            }
            end.count -= 1
            end.hasStray = true
        }
        try lookAround(file, base, limit, &end)
        return end
    }

    private func countEntries(
        _ file: any StorageFile, in range: Int64, _ limit: LogOffset
    ) throws(StoreError) -> Int64 {
        var low: Int64 = 0
        var high = range
        while low < high {
            let middle = low + (high - low) / 2
            if let last = try lastCounted(file, middle, range, limit) { low = last + 1 } else { high = middle }
        }
        return low
    }

    /// The entry itself, or the first behind it that is not blank, if its record is below the limit. Blank ones were
    /// written with the one behind them, and prove nothing: without it they are a queue end that nobody reached.
    private func lastCounted(
        _ file: any StorageFile, _ index: Int64, _ range: Int64, _ limit: LogOffset
    ) throws(StoreError) -> Int64? {
        var last = index
        while last < range, let entry = try read(file, last), entry.isWritten {
            if !entry.isBlank { return entry.logOffset < limit ? last : nil }
            last += 1
        }
        return nil
    }

    /// Entries below the limit are durable: where they contradict each other, one of them was damaged.
    private func lookAround(
        _ file: any StorageFile, _ base: Int64, _ limit: LogOffset, _ end: inout FileEnd
    ) throws(StoreError) {
        let last = end.count > 0 ? try read(file, end.count - 1) : nil
        if end.count > 1, let last, let before = try read(file, end.count - 2), !before.isBlank {
            guard before.isWritten, before.logOffset < last.logOffset else {
                end.damage = "entry \(base + end.count - 2) contradicts the one behind it"
                end.count -= 2
                return
            }
        }
        func isDurable(_ entry: QueueEntry?) -> Bool {
            guard let entry, entry.hasPlace, !entry.isFlippedZero, entry.logOffset < limit else { return false }
            return last.map { entry.logOffset > $0.logOffset } ?? true
        }
        let behind = end.count < files.entriesPerFile ? try read(file, end.count) : nil
        let next = end.count + 1 < files.entriesPerFile ? try read(file, end.count + 1) : nil
        if isDurable(behind?.withoutSigns) || isDurable(next) {
            end.damage = "entry \(base + end.count) is damaged"
        }
    }
}

extension QueueEntry {
    /// Whether it is what one flipped bit makes of an empty place. In its first place a queue may have a record that
    /// looks so, at the log's very start; behind another one no record can be.
    var isFlippedZero: Bool { logOffset == .zero && tagsCode == 0 && size.nonzeroBitCount == 1 }

    /// A flipped sign bit makes an entry look empty.
    fileprivate var withoutSigns: QueueEntry {
        QueueEntry(
            logOffset: LogOffset(rawValue: logOffset.rawValue & .max), size: size & .max, tagsCode: tagsCode)
    }
}
