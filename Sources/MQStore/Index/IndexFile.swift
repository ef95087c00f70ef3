import MQProtocol
import NIOCore

/// An index file that is being filled, or is full and waits to be flushed: entries are appended from a buffer, slots
/// stay in memory.
struct IndexFile: Sendable {
    /// Pending entries are written when there are so many of them: about 64 KiB.
    private static let pendingLimit = 3276
    /// While they cannot be written, they stay in memory up to this number: 24 MiB.
    static let pendingMaximum = 320 * pendingLimit

    let path: String
    let geometry: IndexGeometry
    private(set) var header: IndexHeader
    private var slots: SlotTable
    private var pending: [IndexEntry] = []
    /// Number of the first pending entry.
    private var pendingStart: Int32
    private let device: any StorageDevice
    /// Nil until something is written: a full disk may have no room for a new name.
    private var file: (any StorageFile)?
    private var isChanged: Bool

    /// A new file.
    init(path: String, geometry: IndexGeometry, header: IndexHeader, device: any StorageDevice) {
        self.path = path
        self.geometry = geometry
        self.header = header
        self.device = device
        slots = SlotTable(count: geometry.slots, isBacked: false)
        pendingStart = header.count
        isChanged = true
    }

    /// Goes on with a file that was closed cleanly.
    init(
        reopening path: String, geometry: IndexGeometry, header: IndexHeader, device: any StorageDevice
    ) throws(StoreError) {
        self.path = path
        self.geometry = geometry
        self.header = header
        self.device = device
        slots = SlotTable(count: geometry.slots, isBacked: true)
        pendingStart = header.count
        file = try device.open(path, .readWrite)
        isChanged = false
    }

    var isFull: Bool { Int(header.count) >= geometry.entries }
    var isEmpty: Bool { header.count <= 1 }
    var pendingCount: Int { pending.count }

    /// - Throws: when slots cannot be read, or too much cannot be written; else what cannot waits for the next time.
    mutating func add(hash: Int32, logOffset: LogOffset, storedAt time: Timestamp) throws(StoreError) {
        let slot = Int(hash) % geometry.slots
        let number = header.count
        let (file, geometry) = (file, geometry)
        let old = try slots.exchange(slot, number) { (first, count) throws(StoreError) in
            var buffer = ByteBuffer()
            _ = try file?.read(at: geometry.slotPosition(first), count: 4 * count, into: &buffer)
            return (0..<count).map { buffer.getInteger(at: 4 * $0, as: Int32.self) ?? 0 }
        }
        let previous = old > 0 && old <= number ? old : 0
        pending.append(IndexEntry(hash: hash, logOffset: logOffset, seconds: seconds(at: time), previous: previous))
        if number <= 1 {
            header.begin = time
            header.beginOffset = logOffset
        }
        if previous == 0 { header.slotCount += 1 }
        header.count += 1
        header.end = time
        header.endOffset = logOffset
        isChanged = true
        guard pending.count % Self.pendingLimit == 0 else { return }
        do throws(StoreError) {
            try writeEntries()
        } catch {
            if pending.count >= Self.pendingMaximum { throw error }
        }
    }

    /// Writes everything that is only in memory, the header last.
    mutating func write() throws(StoreError) {
        guard isChanged else { return }
        try writeEntries()
        let (file, geometry) = (try opened(), geometry)
        try slots.writeChanged { (first, bytes) throws(StoreError) in
            try file.write(bytes, at: geometry.slotPosition(first))
        }
        if !isEmpty { try file.write(header.encode(), at: 0) }
        isChanged = false
    }

    func flush() throws(StoreError) { try file?.flush() }

    /// With its full length.
    private mutating func opened() throws(StoreError) -> any StorageFile {
        if let file { return file }
        try device.createDirectory(FileDevice.parent(of: path))
        let new = try device.open(path, .truncate)
        try new.setLength(geometry.fileBytes)
        file = new
        return new
    }

    mutating func writeEntries() throws(StoreError) {
        guard !pending.isEmpty else { return }
        try opened().write(pending.encode(), at: geometry.entryPosition(pendingStart))
        pendingStart = header.count
        pending.removeAll(keepingCapacity: true)
    }

    private func seconds(at time: Timestamp) -> Int32 {
        guard header.begin > .zero, time > header.begin else { return 0 }
        return Int32(clamping: (time.milliseconds - header.begin.milliseconds) / 1000)
    }
}

/// What a search needs of an index file, full or not.
protocol IndexReading {
    var header: IndexHeader { get }
    var geometry: IndexGeometry { get }
    /// Number of the newest entry of the slot.
    func slotValue(_ slot: Int) -> Int32?
    func entry(_ number: Int32) -> IndexEntry?
}

extension IndexFile: IndexReading {
    func slotValue(_ slot: Int) -> Int32? {
        if let value = slots.value(slot) { return value }
        return file?.integer(at: geometry.slotPosition(slot))
    }

    func entry(_ number: Int32) -> IndexEntry? {
        if number >= pendingStart {
            let index = Int(number - pendingStart)
            return index < pending.count ? pending[index] : nil
        }
        return file?.indexEntry(at: geometry.entryPosition(number))
    }
}

/// A full and flushed index file, opened only while it is searched.
struct SealedIndexFile: Sendable {
    var path: String
    var geometry: IndexGeometry
    var header: IndexHeader

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// A sealed file during a search.
struct OpenSealedIndexFile: IndexReading {
    var header: IndexHeader
    var geometry: IndexGeometry
    var file: any StorageFile

    init(_ sealed: SealedIndexFile, device: any StorageDevice) throws(StoreError) {
        header = sealed.header
        geometry = sealed.geometry
        file = try device.open(sealed.path, .readOnly)
    }

    func slotValue(_ slot: Int) -> Int32? { file.integer(at: geometry.slotPosition(slot)) }
    func entry(_ number: Int32) -> IndexEntry? { file.indexEntry(at: geometry.entryPosition(number)) }
}

extension StorageFile {
    fileprivate func integer(at position: Int) -> Int32? {
        var buffer = ByteBuffer()
        guard (try? read(at: position, count: 4, into: &buffer)) == 4 else { return nil }
        return buffer.readInteger(as: Int32.self)
    }

    fileprivate func indexEntry(at position: Int) -> IndexEntry? {
        var buffer = ByteBuffer()
        guard (try? read(at: position, count: IndexEntry.bytes, into: &buffer)) == IndexEntry.bytes else { return nil }
        return buffer.indexEntry(at: 0)
    }
}

extension IndexReading {
    /// Follows the chain of a key, newest first, and appends the places of entries with its hash stored in the time
    /// range.
    ///
    /// The times of entries are whole seconds after the file's begin: up to 999 ms before the store time.
    func search(hash: Int32, begin: Timestamp, end: Timestamp, maximum: Int, into found: inout [(LogOffset, Timestamp)])
    {
        var number = slotValue(Int(hash) % geometry.slots) ?? 0
        while found.count < maximum, number > 0, number < header.count, let entry = entry(number) {
            guard entry.seconds >= 0 else { return }
            let time = header.begin.advanced(by: .seconds(Int64(entry.seconds)))
            if entry.hash == hash, time >= begin, time <= end { found.append((entry.logOffset, time)) }
            // A chain only leads to older entries; anything else is damage and would not end.
            guard entry.previous < number, time >= begin else { return }
            number = entry.previous
        }
    }
}
