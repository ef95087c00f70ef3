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

    /// How many entries from the file's first on are written and below the limit.
    ///
    /// A search by halves, which believes that nothing is written behind an empty place. One flipped bit there makes an
    /// entry, whose place would become the end, and the messages that belong in front of it could not be entered.
    func countEntries(_ file: any StorageFile, limit: LogOffset) throws(StoreError) -> Int64 {
        var high = files.entriesPerFile
        while true {
            let count = try countEntries(file, in: high, limit)
            guard count > 0, try isStray(file, count - 1) else { return count }
            high = count - 1
        }
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

    /// Whether the place in front of an entry is empty, or has a later record: no queue was written so.
    private func isStray(_ file: any StorageFile, _ index: Int64) throws(StoreError) -> Bool {
        guard let entry = try read(file, index) else { return false }
        var before = index - 1
        while before >= 0, let earlier = try read(file, before) {
            if !earlier.isWritten { return true }
            if !earlier.isBlank { return earlier.logOffset >= entry.logOffset }
            before -= 1
        }
        return false
    }
}
