import MQProtocol

/// The file sizes of a store as its files show them: a tool is not told what the broker was.
///
/// Damage makes files shorter, so the length of a single file proves nothing. Taken for the size, that of a cut file
/// lets it pass for a whole one, and what is built again gets a length that no broker opens.
package enum StoreShape {
    /// A size that a broker's file may name.
    package enum Size: Sendable, Hashable, CaseIterable {
        case logFile, queueFile, indexFile
    }

    /// Takes over each size that two files agree on, or that is one of the defaults.
    ///
    /// - Parameter named: the sizes that the broker's file names: they stay as they are, as do those that the files do
    ///   not show. Nil without such a file.
    /// - Throws: `configuration`, naming a file and what to do, when there is no broker's file and the files do not
    ///   show a size: a wrong guess could cost messages.
    package static func apply(
        to configuration: inout StoreConfiguration, device: any StorageDevice, named: Set<Size>? = nil
    ) throws(StoreError) {
        for size in Size.allCases where named?.contains(size) != true {
            let shown = try lengths(of: size, configuration, device)
            guard let first = shown.files.first else { continue }
            let length = shown.agreed(unit: size.unit, defaults: size.defaults)
            let isTaken = length.map { take($0, as: size, &configuration) } ?? false
            if !isTaken, named == nil { throw unknown(size, first) }
        }
    }

    /// With four entries to a slot, as in RocketMQ's default and in ours.
    static func slots(ofFileBytes length: Int) -> Int? {
        let rest = length - IndexHeader.bytes
        let perSlot = 4 + 4 * IndexEntry.bytes
        return rest > 0 && rest % perSlot == 0 ? rest / perSlot : nil
    }

    /// - Returns: false when the length alone does not tell how the file is divided.
    private static func take(_ length: Int, as size: Size, _ configuration: inout StoreConfiguration) -> Bool {
        switch size {
        case .logFile:
            configuration.segmentBytes = length
        case .queueFile:
            configuration.queueSegmentEntries = length / QueueEntry.bytes
        case .indexFile:
            let present = IndexGeometry(slots: configuration.indexSlots, entries: configuration.indexEntries)
            guard length != present.fileBytes else { return true }
            guard let slots = slots(ofFileBytes: length) else { return false }
            configuration.indexSlots = slots
            configuration.indexEntries = 4 * slots
        }
        return true
    }

    private static func unknown(_ size: Size, _ file: ShownLengths.File) -> StoreError {
        StoreError(
            .configuration,
            "\(file.path) has \(file.length) bytes, and the files do not show \(size.meaning): this one may have been"
                + " cut short. Give the broker's file with -c, or, for a broker without one, a file that sets"
                + " \(size.keys)"
        )
    }

    // MARK: Files

    private static func lengths(
        of size: Size, _ configuration: StoreConfiguration, _ device: any StorageDevice
    ) throws(StoreError) -> ShownLengths {
        var shown = ShownLengths()
        switch size {
        case .logFile:
            var files: [ShownLengths.File] = []
            for directory in configuration.allLogDirectories { files += try numbered(in: directory, device) }
            shown.add(files)
        case .queueFile:
            try addQueues("\(configuration.directory)/consumequeue", device, &shown)
        case .indexFile:
            let directory = "\(configuration.directory)/index"
            for entry in try device.list(directory) ?? [] where !entry.isDirectory && IndexName.isName(entry.name) {
                shown.add([.init(path: "\(directory)/\(entry.name)", start: nil, length: entry.length)])
            }
        }
        return shown
    }

    private static func addQueues(
        _ root: String, _ device: any StorageDevice, _ shown: inout ShownLengths
    ) throws(StoreError) {
        for topic in try device.list(root) ?? [] where topic.isDirectory {
            for queue in try device.list("\(root)/\(topic.name)") ?? [] where queue.isDirectory {
                shown.add(try numbered(in: "\(root)/\(topic.name)/\(queue.name)", device))
                // A store may have very many of them.
                if shown.files.count > 64 { return }
            }
        }
    }

    private static func numbered(
        in directory: String, _ device: any StorageDevice
    ) throws(StoreError) -> [ShownLengths.File] {
        var files: [ShownLengths.File] = []
        for entry in try device.list(directory) ?? [] where !entry.isDirectory {
            guard let start = SegmentName.offset(entry.name) else { continue }
            files.append(.init(path: "\(directory)/\(entry.name)", start: start.rawValue, length: entry.length))
        }
        return files
    }
}

extension StoreShape.Size {
    /// Lengths are multiples of it.
    fileprivate var unit: Int { self == .queueFile ? QueueEntry.bytes : 1 }

    /// Of RocketMQ and `mqbroker`, and of an embedded broker.
    fileprivate var defaults: Set<Int> {
        switch self {
        case .logFile: [1 << 30, 64 << 20]
        case .queueFile: [6_000_000]
        case .indexFile: [420_000_040, 42_000_040]
        }
    }

    fileprivate var meaning: String {
        switch self {
        case .logFile: "how long log files are"
        case .queueFile: "how long queue files are"
        case .indexFile: "how many slots and entries index files have"
        }
    }

    fileprivate var keys: String {
        switch self {
        case .logFile: "mappedFileSizeCommitLog (1073741824 unless it is set, 67108864 in an embedded broker)"
        case .queueFile: "mappedFileSizeConsumeQueue (6000000 unless it is set)"
        case .indexFile:
            "maxHashSlotNum and maxIndexNum (5000000 and 20000000 unless they are set, 500000 and 2000000 in an"
                + " embedded broker)"
        }
    }
}

/// The files of one kind that are not empty, and what they say of their size.
private struct ShownLengths {
    struct File {
        var path: String
        /// Where it begins among all files of its row, by its name; nil where names do not tell.
        var start: Int64?
        var length: Int

        /// Whether a file of such a length may have this name.
        func fits(_ unit: Int) -> Bool { length % unit == 0 && (start ?? 0) % Int64(length) == 0 }
    }

    private(set) var files: [File] = []
    /// From the start of a file to that of the next one.
    private var distances: Set<Int64> = []

    /// - Parameter row: files that follow each other.
    mutating func add(_ row: [File]) {
        let starts = row.compactMap(\.start).sorted()
        for (start, next) in zip(starts, starts.dropFirst()) { distances.insert(next - start) }
        files += row.filter { $0.length > 0 }
    }

    /// The length that two files have, or one file and the names of two; else one that is a default.
    func agreed(unit: Int, defaults: Set<Int>) -> Int? {
        var counts: [Int: Int] = [:]
        for file in files where file.fits(unit) { counts[file.length, default: 0] += 1 }
        // Of several equally frequent ones the largest: damage makes files shorter.
        let most = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
        if let most, most.value > 1 { return most.key }
        return counts.keys.filter { distances.contains(Int64($0)) || defaults.contains($0) }.max()
    }
}
