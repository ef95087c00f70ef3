import Synchronization

/// The open files of all consume queues: at most `limit`, those unused for longest are closed first.
final class QueueFiles: Sendable {
    private struct Key: Hashable {
        var queue: Int
        var base: Int64
    }

    private struct Slot {
        var file: any StorageFile
        var lastUse: UInt64
    }

    private struct State {
        var slots: [Key: Slot] = [:]
        var clock: UInt64 = 0

        mutating func closeOldest(_ count: Int) {
            let oldest = slots.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(count)
            for (key, _) in oldest { slots.removeValue(forKey: key) }
        }
    }

    let device: any StorageDevice
    /// `<root>/consumequeue`.
    let directory: String
    /// Entries per file.
    let entriesPerFile: Int64
    private let limit: Int
    private let state = Mutex(State())

    init(device: any StorageDevice, root: String, entriesPerFile: Int, limit: Int) {
        self.device = device
        directory = "\(root)/consumequeue"
        self.entriesPerFile = Int64(entriesPerFile)
        self.limit = max(1, limit)
    }

    var fileBytes: Int { Int(entriesPerFile) * QueueEntry.bytes }

    /// First entry of the file that holds entry `number`.
    func base(of number: Int64) -> Int64 { number / entriesPerFile * entriesPerFile }

    /// Those that have a directory.
    func topics() throws(StoreError) -> [String] {
        (try device.list(directory) ?? []).filter(\.isDirectory).map(\.name)
    }

    func directory(topic: String, queueID: Int32) -> String { "\(directory)/\(topic)/\(queueID)" }

    func name(_ base: Int64) -> String {
        let digits = String(base * Int64(QueueEntry.bytes))
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    /// Whether a queue file may be called so.
    func isName(_ name: String) -> Bool {
        name.utf8.count == 20 && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The first entry of the file with this name; nil when files of this length have no such name.
    func base(named name: String) -> Int64? {
        guard isName(name), let bytes = Int64(name), bytes % Int64(fileBytes) == 0 else { return nil }
        return bytes / Int64(QueueEntry.bytes)
    }

    /// An existing file.
    func open(_ queue: ConsumeQueue, _ base: Int64) throws(StoreError) -> any StorageFile {
        let file = try openOnce(queue, base)
        keep(file, queue, base)
        return file
    }

    /// An existing file that need not be kept open: for one look, or one flush.
    func openOnce(_ queue: ConsumeQueue, _ base: Int64) throws(StoreError) -> any StorageFile {
        if let file = cached(queue, base) { return file }
        return try makingRoom { () throws(StoreError) in
            try device.open("\(queue.directory)/\(name(base))", .readWrite)
        }
    }

    /// A new file of full length.
    func create(_ queue: ConsumeQueue, _ base: Int64) throws(StoreError) -> any StorageFile {
        let file = try makingRoom { () throws(StoreError) in
            try device.createDirectory(queue.directory)
            return try device.open("\(queue.directory)/\(name(base))", .truncate)
        }
        try file.setLength(fileBytes)
        keep(file, queue, base)
        return file
    }

    /// Flushes the names of the queue's files.
    func syncDirectory(of queue: ConsumeQueue) throws(StoreError) {
        try makingRoom { () throws(StoreError) in try device.syncDirectory(queue.directory) }
    }

    func remove(_ queue: ConsumeQueue, _ base: Int64) throws(StoreError) {
        state.withLock { _ = $0.slots.removeValue(forKey: Key(queue: queue.ref.index, base: base)) }
        try device.remove("\(queue.directory)/\(name(base))")
    }

    /// For tests and statistics.
    var openCount: Int { state.withLock { $0.slots.count } }

    private func cached(_ queue: ConsumeQueue, _ base: Int64) -> (any StorageFile)? {
        state.withLock { state in
            let key = Key(queue: queue.ref.index, base: base)
            guard let file = state.slots[key]?.file else { return nil }
            state.clock += 1
            state.slots[key]?.lastUse = state.clock
            return file
        }
    }

    private func keep(_ file: any StorageFile, _ queue: ConsumeQueue, _ base: Int64) {
        state.withLock { state in
            state.clock += 1
            state.slots[Key(queue: queue.ref.index, base: base)] = Slot(file: file, lastUse: state.clock)
            if state.slots.count > limit { state.closeOldest(max(1, limit / 8)) }
        }
    }

    /// Calls the body once more, with half of the files closed, when there was no descriptor left for it: others have
    /// taken them, connections above all. Were it left at that, every send would be refused.
    private func makingRoom<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        do throws(StoreError) {
            return try body()
        } catch  where error.isOutOfDescriptors {
            state.withLock { $0.closeOldest(($0.slots.count + 1) / 2) }
            return try body()
        }
    }
}
