import MQProtocol
import NIOCore
import Synchronization

extension ConsumeQueue {
    /// What loading found.
    enum Condition: Sendable, Equatable {
        case intact
        /// Entries or whole files are unusable: everything must be dispatched again, after ``removeUnusable()``.
        case damaged(String)
    }

    /// Takes over the files of the directory and finds the end: the last entry in front of the first one that is empty
    /// or whose record is not below `limit`. What lies behind it is cleared, and blank entries right in front of it. A
    /// first file of which nothing is left then stays until ``removeUnusable()``, see ``untrustedBeginning``.
    ///
    /// - Parameters:
    ///   - limit: entries of records at or above it are not trusted.
    ///   - clears: after a crash: bytes behind the end may be anything, and the last file may be short; otherwise only
    ///     one entry behind the end is looked at.
    ///   - hint: the end as it was recorded at a clean close; saves the search.
    ///   - first: where the oldest file begins at the latest, if that was recorded: else files before it are missing.
    ///   - lost: damaged parts of the log. An entry behind the end that points there is the only trace of a message.
    /// - Throws: `corrupt` for a file of another length than configured.
    func load(
        limit: LogOffset, clears: Bool, hint: Int64?, first: Int64? = nil, lost: [Range<LogOffset>] = []
    ) throws(StoreError) -> Condition {
        try state.withLock { (state) throws(StoreError) in
            var condition = try takeFiles(&state, afterCrash: clears, first: first)
            var mustClear = clears
            while state.fileCount > 0 {
                let base = state.first + (state.fileCount - 1) * files.entriesPerFile
                let file = try files.openOnce(self, base)
                if !mustClear, lost.isEmpty, let hint, try holds(file, exactly: hint - base, below: limit) {
                    settle(&state, end: hint)
                    return condition
                }
                let found = try end(of: file, base, limit: limit)
                let count = found.count
                if let cause = found.damage, condition == .intact { condition = .damaged("\(directory): \(cause)") }
                if !lost.isEmpty { try rememberLost(file, from: count, base, lost, &state) }
                if count == 0 {
                    if clears, base == 0 {
                        try setAside(file, &state)
                    } else {
                        try files.remove(self, base)
                    }
                    state.unflushed.remove(base)
                    state.fileCount -= 1
                    state.hasUnflushedNames = true
                    continue
                }
                if count < files.entriesPerFile {
                    if found.hasStray || found.damage != nil { mustClear = true }
                    if !mustClear { mustClear = try size(file, count) != 0 }
                    if mustClear {
                        try clear(file, from: count)
                        // Or what was cleared could come back with the next crash, when it may look as good as new.
                        state.unflushed.insert(base)
                    }
                }
                settle(&state, end: base + count)
                return condition
            }
            settle(&state, end: 0)
            return condition
        }
    }

    /// The first file stays until it is recorded what its first entry tells of an earlier life of the queue: built
    /// again from the log, it would have the messages of that one.
    private func setAside(_ file: any StorageFile, _ state: inout State) throws(StoreError) {
        if let entry = try read(file, 0), entry.hasPlace { state.untrustedBeginning = entry.logOffset }
        state.unusable.insert("\(directory)/\(files.name(0))", at: 0)
    }

    /// Deletes the files that loading could not use, the newest first: interrupted, it is found unfinished. Called when
    /// it is recorded that everything is dispatched again.
    func removeUnusable() throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            state.untrustedBeginning = nil
            guard !state.unusable.isEmpty else { return }
            for path in state.unusable.reversed() { try files.device.remove(path) }
            state.unusable = []
            state.hasUnflushedNames = true
        }
    }

    private func rememberLost(
        _ file: any StorageFile, from count: Int64, _ base: Int64, _ lost: [Range<LogOffset>], _ state: inout State
    ) throws(StoreError) {
        var index = count
        var found: [Int64: QueueEntry] = [:]
        while index < files.entriesPerFile, let entry = try read(file, index), entry.isWritten {
            if !entry.isBlank, lost.contains(where: { $0.contains(entry.logOffset) }) { found[base + index] = entry }
            index += 1
        }
        state.lostPlaces.merge(found) { present, _ in present }
    }

    /// Gives the queue's last messages that were lost to damage their places back, so that no new one gets them. Called
    /// when everything readable has been dispatched. Durable on return: their entries are the only trace of them.
    func keepLostPlaces() throws(StoreError) {
        let places = state.withLock { state in
            defer { state.lostPlaces = [:] }
            return state.lostPlaces
        }
        let missing = places.sorted { $0.key < $1.key }.filter { $0.key >= end }
        guard !missing.isEmpty else { return }
        for (number, entry) in missing { _ = try append(entry, at: number) }
        try write()
        try flush()
    }

    /// Flushes the files written since the last flush, and their names. A queue that is deleted meanwhile needs none.
    func flush() throws(StoreError) {
        let (bases, hasNames) = state.withLock { state in
            defer {
                state.unflushed.removeAll()
                state.hasUnflushedNames = false
            }
            return (state.unflushed.sorted(), state.hasUnflushedNames)
        }
        do throws(StoreError) {
            for base in bases { try files.openOnce(self, base).flush() }
            if hasNames { try files.syncDirectory(of: self) }
        } catch {
            let isDeleted = state.withLock { state in
                let left = bases.filter { hasFile($0, state) }
                if left.isEmpty, error.code == .notFound { return true }
                state.unflushed.formUnion(left)
                state.hasUnflushedNames = state.hasUnflushedNames || hasNames
                return false
            }
            if !isDeleted { throw error }
        }
    }

    /// Flushes every file, whoever wrote it.
    func flushAll() throws(StoreError) {
        state.withLock { state in
            guard state.fileCount > 0 else { return }
            for number in 0..<state.fileCount { state.unflushed.insert(state.first + number * files.entriesPerFile) }
            state.hasUnflushedNames = true
        }
        try flush()
    }

    /// Writes the entries again that are in files and not durable for certain, and clears again what is behind them:
    /// when a flush failed, the system may have dropped what was written. Flushed then, it is durable: what was so
    /// before the failure was not written to.
    ///
    /// - Parameter known: what the log says, by queue offset, of everything that was dispatched. Without it, what the
    ///   file has is kept.
    func rewrite(_ known: [Int64: QueueEntry]) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            for base in state.unflushed {
                let count = min(max(state.written - base, 0), files.entriesPerFile)
                try clear(files.open(self, base), from: count)
            }
            var number = max(state.durable, state.first)
            while number < state.written {
                let base = files.base(of: number)
                let upper = min(state.written, base + files.entriesPerFile)
                let file = try files.open(self, base)
                var buffer = ByteBuffer()
                for entry in number..<upper {
                    if let found = known[entry], found.logOffset >= state.ignoredBelow {
                        buffer.writeEntry(found)
                    } else {
                        let present = try read(file, entry - base)
                        buffer.writeEntry(present.flatMap { $0.isWritten ? $0 : nil } ?? .blank)
                    }
                }
                try file.write(buffer, at: Int(number - base) * QueueEntry.bytes)
                state.unflushed.insert(base)
                number = upper
            }
        }
    }

    /// Where the queue begins without the files whose last entry that says where a record is belongs to one below the
    /// offset; the last file stays.
    func firstKept(below offset: LogOffset) -> Int64 {
        state.withLock { state in
            var first = state.first
            while hasFile(first + files.entriesPerFile, state) {
                guard let limit = lastPlace(first..<first + files.entriesPerFile, state), limit < offset else { break }
                first += files.entriesPerFile
            }
            return first
        }
    }

    /// Deletes the files before the one that begins with an entry, oldest first.
    /// - Returns: how many files went.
    func removeFiles(before first: Int64) throws(StoreError) -> Int {
        try state.withLock { (state) throws(StoreError) in
            var removed = 0
            while state.fileCount > 1, state.first < first {
                try files.remove(self, state.first)
                state.unflushed.remove(state.first)
                state.first += files.entriesPerFile
                state.fileCount -= 1
                state.minimumFor = nil
                removed += 1
            }
            return removed
        }
    }

    /// Where the last of the entries that has a record says it is; zero when none has one, nil when they cannot be
    /// read.
    private func lastPlace(_ numbers: Range<Int64>, _ state: borrowing State) -> LogOffset? {
        for number in numbers.reversed() {
            guard let entry = entry(number, state) else { return nil }
            if entry.hasPlace { return entry.logOffset }
            if !entry.isWritten, state.isUncertain(number) { return nil }
        }
        return .zero
    }

    /// Deletes everything; the queue begins again at offset 0 and ignores records below `ignoredBelow`.
    ///
    /// Durable on return: an old file that comes back beside new ones would be taken for one of them.
    func erase(ignoredBelow: LogOffset) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in try erase(&state, ignoredBelow: ignoredBelow) }
    }

    private func erase(_ state: inout State, ignoredBelow: LogOffset) throws(StoreError) {
        for entry in try files.device.list(directory) ?? [] where !entry.isDirectory {
            if let base = files.base(named: entry.name) { try files.remove(self, base) }
        }
        state = State()
        state.ignoredBelow = ignoredBelow
        guard try files.device.exists(directory) else { return }
        try files.device.syncDirectory(directory)
        try files.device.remove(directory)
    }

    /// Whether there are files, and all records they tell of lie below the offset.
    func isExpired(below minimum: LogOffset) -> Bool { state.withLock { isExpired($0, below: minimum) } }

    private func isExpired(_ state: borrowing State, below minimum: LogOffset) -> Bool {
        let end = lastLogEnd(state)
        return state.fileCount > 0 && end > .zero && end <= minimum
    }

    /// Deletes everything, unless a message came since it was found expired.
    ///
    /// - Returns: whether it did.
    func eraseIfExpired(below minimum: LogOffset) throws(StoreError) -> Bool {
        try state.withLock { (state) throws(StoreError) in
            guard isExpired(state, below: minimum) else { return false }
            try erase(&state, ignoredBelow: .zero)
            return true
        }
    }

    /// Writes what is only in memory and remembers how far that is, until ``settleCapture()``.
    func capture() throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            try write(&state)
            state.captured = state.end
        }
    }

    /// What was captured has been flushed, and the position below which everything is durable has been recorded.
    func settleCapture() { state.withLock { $0.durable = max($0.durable, $0.captured) } }

    /// First entry of the oldest file.
    var first: Int64 { state.withLock { $0.first } }

    /// Entries that are durable for certain.
    var durableEnd: Int64 { state.withLock { $0.durable } }

    /// Whether the files are those of a queue that was deleted: their removal had not reached the disk.
    var isOfEarlierLife: Bool {
        state.withLock { state in
            guard state.fileCount > 0, state.ignoredBelow > .zero else { return false }
            guard let first = firstEntry(atOrAbove: .zero, state), let entry = entry(first, state) else { return false }
            return entry.logOffset < state.ignoredBelow
        }
    }

    /// Where the record with queue offset 0 lies; nil when its entry is gone, as in a queue that lost its oldest files.
    var beginning: LogOffset? {
        state.withLock { state in
            if let offset = state.untrustedBeginning { return offset }
            guard state.first == 0, let entry = entry(0, state), entry.hasPlace else { return nil }
            return entry.logOffset
        }
    }

    /// The same of a file that is about to go, because loading trusted nothing in it.
    var untrustedBeginning: LogOffset? { state.withLock { $0.untrustedBeginning } }

    /// Whether the queue has messages of before the offset, or had some when it was loaded. True when that cannot be
    /// read.
    func mayHaveBegun(below offset: LogOffset) -> Bool {
        state.withLock { state in
            if let beginning = state.untrustedBeginning { return beginning < offset }
            guard let first = firstEntry(atOrAbove: .zero, state) else { return true }
            guard first < state.end else { return false }
            return entry(first, state).map { $0.logOffset < offset } ?? true
        }
    }

    func ignore(below offset: LogOffset) { state.withLock { $0.ignoredBelow = offset } }

    var hasFiles: Bool { state.withLock { $0.fileCount > 0 } }

    /// End of the last record that has an entry; zero when there is none, or none that can be read.
    var lastLogEnd: LogOffset { state.withLock { lastLogEnd($0) } }

    private func lastLogEnd(_ state: borrowing State) -> LogOffset {
        guard state.end > 0, let last = entry(state.end - 1, state), !last.isBlank else { return .zero }
        return last.logOffset.advanced(by: Int(last.size)) ?? .zero
    }

    private func settle(_ state: inout State, end: Int64) {
        state.end = end
        state.written = end
        state.durable = end
        state.tail = ByteBuffer()
        state.tailStart = end
        state.minimumFor = nil
        if state.fileCount == 0 { state.first = 0 }
    }

    /// Lists the directory; makes the last file whole after a crash, remembers what cannot be used.
    private func takeFiles(
        _ state: inout State, afterCrash: Bool, first: Int64?
    ) throws(StoreError) -> Condition {
        state.first = 0
        state.fileCount = 0
        guard let entries = try files.device.list(directory) else { return .intact }
        var condition = Condition.intact
        let names = entries.filter { !$0.isDirectory && files.isName($0.name) }
        for entry in names { try checkSize(entry, afterCrash: afterCrash) }
        for (index, entry) in names.enumerated() {
            guard let base = files.base(named: entry.name) else { continue }
            let next = state.first + state.fileCount * files.entriesPerFile
            let isNext = state.fileCount == 0 ? base <= first ?? base : base == next
            let isShortTail = index == names.count - 1 && entry.length < files.fileBytes
            guard isNext, entry.length == files.fileBytes || isShortTail else {
                let cause =
                    isNext
                    ? "it has \(entry.length) bytes instead of \(files.fileBytes)" : "a file before it is missing"
                condition = .damaged("\(directory)/\(entry.name): \(cause)")
                state.unusable = names[index...].map { "\(directory)/\($0.name)" }
                break
            }
            if state.fileCount == 0 { state.first = base }
            state.fileCount += 1
            // Created, or being cleared, when the process died.
            if isShortTail {
                try files.open(self, base).setLength(files.fileBytes)
                state.unflushed.insert(base)
            }
        }
        return condition
    }

    /// Another length than configured is another place for every entry: taken as they are, the files would show some
    /// offsets twice and others not at all. A crash leaves short files, but no long ones.
    private func checkSize(_ entry: DirectoryEntry, afterCrash: Bool) throws(StoreError) {
        let isAligned = files.base(named: entry.name) != nil
        guard !isAligned || entry.length > files.fileBytes || (entry.length < files.fileBytes && !afterCrash) else {
            return
        }
        let cause = isAligned ? "" : ", and its name is no multiple of that"
        throw StoreError(
            .corrupt,
            "\(directory)/\(entry.name) has \(entry.length) bytes instead of \(files.fileBytes)\(cause);"
                + " if queueSegmentEntries (mappedFileSizeConsumeQueue) was changed, set it back to the size of the"
                + " existing files, else move \(files.directory) elsewhere to have it built again from the log"
        )
    }

    /// Cutting and lengthening leaves a hole of zeros.
    private func clear(_ file: any StorageFile, from index: Int64) throws(StoreError) {
        try file.setLength(Int(index) * QueueEntry.bytes)
        try file.setLength(files.fileBytes)
    }
}
