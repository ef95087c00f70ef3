import Logging
import MQProtocol
import Synchronization

/// Finds messages by topic and key: hash files in RocketMQ's format, rebuilt from the log when they are missing.
///
/// Only full files are flushed while the store runs. After a crash the one that was not full is deleted and its records
/// are dispatched again, which takes time proportional to its entries and happens while the broker already serves.
final class KeyIndex: Sendable {
    struct State: Sendable {
        /// Full and flushed, oldest first.
        var sealed: [SealedIndexFile] = []
        /// Oldest first; all but the last are full and wait to be flushed.
        var open: [IndexFile] = []
        /// Keys of the record at this offset that are in an older file.
        var resume: (offset: LogOffset, keys: Int)?
        /// Why nothing is indexed any more in this run.
        var failure: StoreError?
        var sealedEnd = Timestamp.zero
        var sealedName: String?
    }

    let device: any StorageDevice
    let directory: String
    let geometry: IndexGeometry
    let time: TimeSource
    let logger: Logger
    let state = Mutex(State())

    init(device: any StorageDevice, root: String, geometry: IndexGeometry, time: TimeSource, logger: Logger) {
        self.device = device
        directory = "\(root)/index"
        self.geometry = geometry
        self.time = time
        self.logger = logger
    }

    /// Adds the keys of one record: the unique key first, then the pieces of KEYS between single spaces.
    ///
    /// What cannot be written, on a full disk above all, stays in memory until housekeeping has written it: appends are
    /// refused meanwhile, so it is not much. A failed flush or read, or too much of it, ends indexing for this run,
    /// with one line in the log: the messages are safe, and the next start builds what is missing.
    func add(
        _ properties: RecordProperties,
        _ record: Span<UInt8>,
        prefix: JavaHasher,
        at offset: LogOffset,
        storedAt time: Timestamp
    ) {
        guard properties.uniqueKey != nil || properties.keys != nil else { return }
        state.withLock { state in
            guard state.failure == nil else { return }
            var skipped = state.resume?.offset == offset ? state.resume?.keys ?? 0 : 0
            do throws(StoreError) {
                if let range = properties.uniqueKey {
                    try put(record, range, prefix, offset, time, &skipped, &state)
                }
                guard let keys = properties.keys else { return }
                var start = keys.lowerBound
                for position in keys where record[position] == 0x20 {
                    if position > start { try put(record, start..<position, prefix, offset, time, &skipped, &state) }
                    start = position + 1
                }
                if start < keys.upperBound {
                    try put(record, start..<keys.upperBound, prefix, offset, time, &skipped, &state)
                }
            } catch {
                state.failure = error
                logger.error("keys are no longer indexed until the next start: \(error)")
            }
        }
    }

    private func put(
        _ record: Span<UInt8>,
        _ range: Range<Int>,
        _ prefix: JavaHasher,
        _ offset: LogOffset,
        _ time: Timestamp,
        _ skipped: inout Int,
        _ state: inout State
    ) throws(StoreError) {
        if skipped > 0 {
            skipped -= 1
            return
        }
        var hasher = prefix
        hasher.combine(record.extracting(range))
        let hash = hasher.value == .min ? 0 : abs(hasher.value)
        if state.open.last?.isFull ?? true { try addFile(&state) }
        try state.open[state.open.count - 1].add(hash: hash, logOffset: offset, storedAt: time)
    }

    private func addFile(_ state: inout State) throws(StoreError) {
        if state.open.reduce(0, { $0 + $1.pendingCount }) >= IndexFile.pendingMaximum { try writeEntries(&state) }
        let header = (state.open.last?.header ?? state.sealed.last?.header)?.successor ?? IndexHeader()
        var name = IndexName.text(LocalTime.reading(time.now()))
        // Names must sort by age, also after the clock was set back. One at or below the recorded name would count as
        // flushed after a crash, although that file is gone and this is another.
        let present = (state.open.last?.path ?? state.sealed.last?.path)?.split(separator: "/").last
        let newest = max(present ?? "", state.sealedName.map { Substring($0) } ?? "")
        if name <= newest { name = IndexName.after(newest) }
        let path = "\(directory)/\(name)"
        state.open.append(IndexFile(path: path, geometry: geometry, header: header, device: device))
    }

    /// Writes and flushes files that are full. They stay searchable meanwhile, and indexing goes on.
    ///
    /// - Parameter flushed: the end of the durable log. A file that knows records beyond waits, or it would outlive
    ///   them.
    /// - Throws: the device's error: after a failed write it is done again the next time.
    /// - Returns: whether any file was sealed.
    func sealFull(flushed: LogOffset) throws(StoreError) -> Bool {
        var sealedAny = false
        while var full = state.withLock({ state in
            state.failure == nil ? state.open.first.flatMap { $0.isFull ? $0 : nil } : nil
        }) {
            guard full.header.endOffset < flushed else { break }
            try full.write()
            do throws(StoreError) {
                try full.flush()
                try device.syncDirectory(directory)
            } catch {
                // Flushing it again would prove nothing. The next start builds it anew.
                state.withLock { $0.failure = $0.failure ?? error }
                logger.error("keys are no longer indexed until the next start: \(error)")
                throw error
            }
            let sealed = SealedIndexFile(path: full.path, geometry: geometry, header: full.header)
            state.withLock { state in
                state.open.removeFirst()
                state.sealed.append(sealed)
                state.sealedEnd = sealed.header.end
                state.sealedName = sealed.name
            }
            sealedAny = true
        }
        return sealedAny
    }

    /// Writes pending entries of the current file, so that memory holds few of them. Nothing becomes durable.
    func writeEntries() throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in try writeEntries(&state) }
    }

    private func writeEntries(_ state: inout State) throws(StoreError) {
        for index in state.open.indices { try state.open[index].writeEntries() }
    }

    /// Writes and flushes everything; the index is complete up to `position`.
    ///
    /// - Returns: what the next start compares the files with; nil when they are not to be trusted.
    func close(at position: LogOffset) throws(StoreError) -> DispatchManifest.Index? {
        try state.withLock { (state) throws(StoreError) in
            if state.failure != nil { return nil }
            for index in state.open.indices {
                try state.open[index].write()
                try state.open[index].flush()
            }
            if !state.open.isEmpty { try device.syncDirectory(directory) }
            return .init(
                position: position,
                files: state.sealed.count + state.open.count,
                lastCount: state.open.last?.header.count ?? state.sealed.last?.header.count ?? 0
            )
        }
    }

    /// Deletes full files all of whose records are below the offset; never the newest file.
    ///
    /// They are counted until they are gone for certain: one that came back after a crash would make up for one that is
    /// missing, and nobody would notice. What cannot be deleted is tried again the next time.
    func removeFiles(below offset: LogOffset) throws(StoreError) {
        let expired = state.withLock { state in
            let limit = state.open.isEmpty ? max(0, state.sealed.count - 1) : state.sealed.count
            return Array(state.sealed.prefix(limit).prefix { $0.header.endOffset < offset })
        }
        guard !expired.isEmpty else { return }
        for file in expired { try device.remove(file.path) }
        try device.syncDirectory(directory)
        let paths = Set(expired.map(\.path))
        state.withLock { state in state.sealed.removeAll { paths.contains($0.path) } }
    }

    /// Whether keys are missing until the next start.
    var hasFailed: Bool { state.withLock { $0.failure != nil } }

    /// Name of the newest full and flushed file, and how many files there are up to it.
    var sealed: (name: String, files: Int)? {
        state.withLock { state -> (name: String, files: Int)? in
            guard let name = state.sealedName else { return nil }
            return (name, state.sealed.count(where: { $0.name <= name }))
        }
    }

    /// End time of the newest full and flushed file, for the checkpoint.
    var sealedEnd: Timestamp { state.withLock { $0.sealedEnd } }
}

/// Names of index files: the local time of creation as 17 digits, year to millisecond.
enum IndexName {
    /// - Parameter time: a ``LocalTime/reading(_:)``.
    static func text(_ time: Timestamp) -> String {
        let day = Int64(time.milliseconds.quotientFloored(by: 86_400_000))
        let inDay = time.milliseconds - day * 86_400_000
        let date = civil(day)
        let parts: [(Int64, Int)] = [
            (date.year, 4), (date.month, 2), (date.day, 2), (inDay / 3_600_000, 2), (inDay / 60_000 % 60, 2),
            (inDay / 1000 % 60, 2), (inDay % 1000, 3),
        ]
        return parts.map { value, width in padded(value, width) }.joined()
    }

    /// The next number, as a name.
    static func after(_ name: Substring) -> String { padded((Int64(name) ?? 0) + 1, 17) }

    static func isName(_ text: String) -> Bool {
        text.utf8.count == 17 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Days since 1970 to a date of the Gregorian calendar, by eras of 400 years that begin in March.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.quotientFloored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func quotientFloored(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
