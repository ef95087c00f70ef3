import MQProtocol
import NIOCore
import Synchronization

/// The index of one queue: entry n says where the record with queue offset n lies in the log.
///
/// Entries collect in a tail in memory and reach the files a few hundred at a time; the tail also answers readers that
/// keep up. What a kill loses of it is rebuilt from the log. The files have RocketMQ's names, length and content.
final class ConsumeQueue: Sendable {
    /// What the tag code of an entry means.
    enum Kind: Sendable { case tagged, delayLevels, timer }

    struct State: Sendable {
        /// First entry of the oldest file.
        var first: Int64 = 0
        var fileCount: Int64 = 0
        /// The next entry to be appended.
        var end: Int64 = 0
        /// Entries below are in the files.
        var written: Int64 = 0
        /// Entries below are durable for certain; becomes `captured` when that was flushed.
        var durable: Int64 = 0
        var captured: Int64 = 0
        /// Entries `tailStart..<end`; `tailStart <= written`.
        var tail = ByteBuffer()
        var tailStart: Int64 = 0
        /// `minimum` holds for this start of the log.
        var minimumFor: LogOffset?
        var minimum: Int64 = 0
        /// Records below this offset belong to an earlier life of the queue, before it was deleted.
        var ignoredBelow = LogOffset.zero
        /// Files written since the last flush, by first entry.
        var unflushed: Set<Int64> = []
        var hasUnflushedNames = false
        /// Paths of files that loading could not use, and of the first one where nothing in it may be trusted.
        var unusable: [String] = []
        /// Where that file says that the record with queue offset 0 lies; until the file goes.
        var untrustedBeginning: LogOffset?
        /// Entries of records that recovery found damaged; until dispatching has reached the end.
        var lostPlaces: [Int64: QueueEntry] = [:]
        /// Whether anything was appended since the last housekeeping.
        var isActive = false

        var isEmpty: Bool { fileCount == 0 && end == written }

        func isUncertain(_ number: Int64) -> Bool { number >= durable && number < written }
    }

    enum Outcome: Sendable {
        case appended
        /// The entry is there already, or belongs to an earlier life of the queue.
        case known
        /// Another record has that queue offset.
        case taken(by: LogOffset)
        /// Some queue offsets before it have no record; their entries are blank.
        case afterGap(Int64)
        /// The queue offset is too far beyond the end to be true.
        case implausible
    }

    /// Beyond, the names of files would overflow.
    private static let maximumNumber = Int64.max / 64
    /// Pending entries that make a write worth its while.
    private static let writeEntries: Int64 = 256
    /// The tail is cut down to this many entries once it has twice as many.
    private static let keptEntries: Int64 = 256

    let ref: QueueRef
    let files: QueueFiles
    let directory: String
    let topicBytes: [UInt8]
    /// Java hash of `topic#`, the beginning of every index key of the topic.
    let keyPrefix: JavaHasher
    let kind: Kind
    let state = Mutex(State())

    init(ref: QueueRef, files: QueueFiles) {
        self.ref = ref
        self.files = files
        directory = files.directory(topic: ref.topic, queueID: ref.queueID)
        let topic = Array(ref.topic.utf8)
        var hasher = JavaHasher()
        hasher.combine(topic.span)
        hasher.combine("#")
        topicBytes = topic
        keyPrefix = hasher
        kind =
            switch ref.topic {
            case SystemTopic.schedule: .delayLevels
            case SystemTopic.timerWheel: .timer
            default: .tagged
            }
    }

    var end: Int64 { state.withLock { $0.end } }

    /// Records below belong to an earlier life of the queue.
    var ignoredBelow: LogOffset { state.withLock { $0.ignoredBelow } }

    /// Appends the entry of the record with queue offset `number`.
    ///
    /// A queue without entries begins with the number of its first record.
    ///
    /// - Throws: when the files cannot be written; the entry is kept in memory and readable all the same.
    func append(_ entry: QueueEntry, at number: Int64) throws(StoreError) -> Outcome {
        try state.withLock { (state) throws(StoreError) in
            if entry.logOffset < state.ignoredBelow { return .known }
            if number < state.end {
                // Further back, the files would have to be read for each record that is dispatched again.
                guard number >= state.tailStart, let other = self.entry(number, state), other.hasPlace,
                    other.logOffset != entry.logOffset
                else { return .known }
                return .taken(by: other.logOffset)
            }
            var outcome = Outcome.appended
            if number > state.end {
                let gap = number - state.end
                if number > Self.maximumNumber { return .implausible }
                if state.isEmpty {
                    begin(&state, at: number)
                } else if gap > files.entriesPerFile {
                    return .implausible
                }
                while state.end < number { add(.blank, &state) }
                outcome = .afterGap(gap)
            }
            add(entry, &state)
            state.isActive = true
            if (state.end - state.written) % Self.writeEntries == 0 { try write(&state) }
            return outcome
        }
    }

    /// Writes what is only in memory.
    func write() throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in try write(&state) }
    }

    func write(_ state: inout State) throws(StoreError) {
        while state.written < state.end {
            let base = files.base(of: state.written)
            let upper = min(state.end, base + files.entriesPerFile)
            let file = try writableFile(base, &state)
            let position = Int(state.written - base) * QueueEntry.bytes
            try file.write(tail(state.written..<upper, state), at: position)
            state.unflushed.insert(base)
            state.written = upper
        }
        trim(&state, keeping: Self.keptEntries)
    }

    /// Frees the tail of a queue that nothing was appended to since the last call; its readers go to the file.
    func releaseIdleMemory() {
        state.withLock { state in
            if !state.isActive, state.written == state.end {
                state.tail = ByteBuffer()
                state.tailStart = state.end
            }
            state.isActive = false
        }
    }

    /// Copies entries from `number` on: up to `count`, fewer at the end of a file or of the queue; nil when the file is
    /// missing or unreadable.
    func entries(from number: Int64, count: Int) -> ByteBuffer? {
        state.withLock { entries(from: number, count: count, $0) }
    }

    /// The same, for whoever goes on behind what there is: empty when the queue has no such entries.
    ///
    /// - Throws: when they are there and cannot be read now.
    func readEntries(from number: Int64, count: Int) throws(StoreError) -> [QueueEntry] {
        try state.withLock { (state) throws(StoreError) in
            guard let buffer = try read(from: number, count: count, state) else { return [] }
            var entries: [QueueEntry] = []
            while let entry = buffer.entry(entries.count) {
                if !entry.isWritten, state.isUncertain(number + Int64(entries.count)) { break }
                entries.append(entry)
            }
            if entries.isEmpty { throw unreadable(number, "it was not flushed, and is zero in memory") }
            return entries
        }
    }

    private func unreadable(_ number: Int64, _ cause: String) -> StoreError {
        StoreError(
            .inputOutput,
            "\(directory): entry \(number) cannot be read: \(cause). Should that stay, stop the broker and delete the"
                + " directory: it is built again from the log"
        )
    }

    /// Whether an entry that reads as never written may only be dropped from memory after a failed flush.
    func isUncertain(_ number: Int64) -> Bool {
        state.withLock { $0.isUncertain(number) }
    }

    /// Whether the entry should be somewhere, readable or not.
    func has(_ number: Int64) -> Bool {
        state.withLock { state in
            number >= state.tailStart ? number < state.end : hasFile(files.base(of: number), state)
        }
    }

    /// Whether the file that begins with this entry is one of the queue's.
    func hasFile(_ base: Int64, _ state: borrowing State) -> Bool {
        base >= state.first && base < state.first + state.fileCount * files.entriesPerFile
    }

    func entry(_ number: Int64, _ state: borrowing State) -> QueueEntry? {
        if number >= state.tailStart { return state.tail.entry(Int(number - state.tailStart)) }
        return entries(from: number, count: 1, state)?.entry(0)
    }

    private func entries(from number: Int64, count: Int, _ state: borrowing State) -> ByteBuffer? {
        try? read(from: number, count: count, state)
    }

    private func read(from number: Int64, count: Int, _ state: borrowing State) throws(StoreError) -> ByteBuffer? {
        guard number >= 0, number < state.end, count > 0 else { return nil }
        let base = files.base(of: number)
        let upper = min(state.end, base + files.entriesPerFile)
        let wanted = Int(min(upper - number, Int64(count)))
        if number >= state.tailStart {
            var copy = ByteBuffer()
            copy.writeImmutableBuffer(tail(number..<number + Int64(wanted), state))
            return copy
        }
        guard hasFile(base, state) else { return nil }
        let inFile = min(wanted, Int(state.written - number))
        var buffer = ByteBuffer()
        let bytes = inFile * QueueEntry.bytes
        buffer.reserveCapacity(bytes)
        do throws(StoreError) {
            let file = try files.open(self, base)
            let read = try file.read(at: Int(number - base) * QueueEntry.bytes, count: bytes, into: &buffer)
            guard read < QueueEntry.bytes else { return buffer }
        } catch {
            throw unreadable(number, error.message)
        }
        throw unreadable(number, "its file ends before it")
    }

    /// A slice that shares the tail's memory: gone before the tail changes, or that would copy all of it.
    private func tail(_ numbers: Range<Int64>, _ state: borrowing State) -> ByteBuffer {
        let start = state.tail.readerIndex + Int(numbers.lowerBound - state.tailStart) * QueueEntry.bytes
        guard let slice = state.tail.getSlice(at: start, length: numbers.count * QueueEntry.bytes) else {
            preconditionFailure("the tail reaches from tailStart to end")
        }
        return slice
    }

    private func add(_ entry: QueueEntry, _ state: inout State) {
        state.tail.writeEntry(entry)
        state.end += 1
    }

    /// The first record of a queue without files has a queue offset above 0: its file starts at the boundary below.
    private func begin(_ state: inout State, at number: Int64) {
        let base = files.base(of: number)
        state.first = base
        state.end = base
        state.written = base
        state.tailStart = base
        state.tail = ByteBuffer()
        state.minimumFor = nil
    }

    private func writableFile(_ base: Int64, _ state: inout State) throws(StoreError) -> any StorageFile {
        if hasFile(base, state) { return try files.open(self, base) }
        let file = try files.create(self, base)
        if state.fileCount == 0 { state.first = base }
        state.fileCount = (base - state.first) / files.entriesPerFile + 1
        state.hasUnflushedNames = true
        return file
    }

    private func trim(_ state: inout State, keeping kept: Int64) {
        guard state.end - state.tailStart >= 2 * kept else { return }
        let dropped = state.end - state.tailStart - kept
        state.tail.moveReaderIndex(forwardBy: Int(dropped) * QueueEntry.bytes)
        state.tailStart += dropped
        if state.tail.capacity > 1 << 17 {
            state.tail = ByteBuffer(bytes: state.tail.readableBytesView)
        } else {
            state.tail.discardReadBytes()
        }
    }
}
