import MQProtocol

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

struct SimulatedFault {
    var operation: SimulatedDevice.Operation
    var remaining: Int
    var errorNumber: Int32
    var isPermanent: Bool
}

/// SplitMix64.
struct SimulatedRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0...limit.
    mutating func next(upTo limit: Int) -> Int { Int(next() % UInt64(limit + 1)) }
}

/// Names, files and faults of a simulated device.
struct SimulatedDisk {
    /// A change of a name that a crash may undo.
    private struct Change {
        var directory: String
        var path: String
        var node: SimulatedNode?
    }

    var random: SimulatedRandom
    var capacity: Int?
    var faults: [SimulatedFault] = []
    var counts: [SimulatedDevice.Operation: Int] = [:]
    private(set) var failures = 0
    var locks: Set<String> = []
    var dropsPagesOnFailedFlush = false
    /// Calls until the power goes; nil while it stays.
    var callsLeft: Int?
    /// The power went before the present call: it has no effect at all. The call during which it goes may have some.
    private(set) var isOff = false
    /// Grows with every crash: open files belong to one generation.
    private(set) var generation = 0
    let time: TimeSource
    private let sectorBytes: Int

    /// What is in each directory, as paths.
    private var directories: [String: Set<String>] = ["/": [], ".": []]
    private var names: [String: SimulatedNode] = [:]
    private var durableNames: [String: SimulatedNode] = [:]
    /// In the order in which they were made.
    private var changes: [Change] = []

    init(seed: UInt64, capacity: Int?, sectorBytes: Int, time: TimeSource) {
        random = SimulatedRandom(seed: seed)
        self.capacity = capacity
        self.sectorBytes = sectorBytes
        self.time = time
    }

    /// Counts the call and throws when it is to fail.
    mutating func attempt(_ operation: SimulatedDevice.Operation, _ path: String) throws(StoreError) {
        counts[operation, default: 0] += 1
        guard let number = nextFailure(operation) else { return }
        failures += 1
        throw .system(number, isPowerGoing ? "\(operation) without power" : "\(operation)", path)
    }

    /// How many bytes a failed write leaves: any number, or whole sectors when the power went.
    mutating func partOfFailedWrite(_ range: Range<Int>) -> Int {
        let kept = random.next(upTo: range.count)
        if !isPowerGoing || kept == range.count { return kept }
        return max(0, (range.lowerBound + kept) / sectorBytes * sectorBytes - range.lowerBound)
    }

    private var isPowerGoing: Bool { callsLeft.map { $0 < 0 } ?? false }

    /// The error number of the call if it is to fail.
    private mutating func nextFailure(_ operation: SimulatedDevice.Operation) -> Int32? {
        if let left = callsLeft {
            callsLeft = max(left - 1, -1)
            isOff = left < 0
            if left <= 0 { return EIO }
        }
        for index in faults.indices where faults[index].operation == operation {
            if faults[index].remaining > 0 {
                faults[index].remaining -= 1
                continue
            }
            let number = faults[index].errorNumber
            if !faults[index].isPermanent { faults.remove(at: index) }
            return number
        }
        return nil
    }

    // MARK: Names

    mutating func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> SimulatedNode {
        if let node = names[path] {
            if mode == .truncate { node.setLength(0, now: time.now().milliseconds) }
            return node
        }
        guard mode == .create || mode == .truncate, directories[FileDevice.parent(of: path)] != nil else {
            throw .system(ENOENT, "open", path)
        }
        let node = SimulatedNode(sectorBytes: sectorBytes)
        node.setLength(0, now: time.now().milliseconds)
        change(path, node)
        return node
    }

    mutating func rename(_ old: String, _ new: String) throws(StoreError) {
        guard let node = names[old], directories[FileDevice.parent(of: new)] != nil else {
            throw .system(ENOENT, "rename", old)
        }
        change(new, node)
        change(old, nil)
    }

    mutating func remove(_ path: String) throws(StoreError) {
        if let children = directories[path] {
            guard children.isEmpty else { throw .system(ENOTEMPTY, "remove", path) }
            directories[path] = nil
            directories[FileDevice.parent(of: path)]?.remove(path)
        } else if names[path] != nil {
            change(path, nil)
        }
    }

    private mutating func change(_ path: String, _ node: SimulatedNode?) {
        names[path] = node
        let directory = FileDevice.parent(of: path)
        if node == nil { directories[directory]?.remove(path) } else { directories[directory]?.insert(path) }
        changes.append(Change(directory: directory, path: path, node: node))
    }

    mutating func createDirectory(_ path: String) throws(StoreError) {
        if directories[path] != nil { return }
        if names[path] != nil { throw .system(ENOTDIR, "create the directory", path) }
        try createDirectory(FileDevice.parent(of: path))
        restoreDirectory(path)
    }

    private mutating func restoreDirectory(_ path: String) {
        guard directories[path] == nil else { return }
        let parent = FileDevice.parent(of: path)
        restoreDirectory(parent)
        directories[path] = []
        directories[parent]?.insert(path)
    }

    func list(_ directory: String) -> [DirectoryEntry]? {
        directories[directory]?.sorted().compactMap(entry)
    }

    func entry(_ path: String) -> DirectoryEntry? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if directories[path] != nil {
            return DirectoryEntry(name: name, isDirectory: true, length: 0, modified: 0)
        }
        guard let node = names[path] else { return nil }
        return DirectoryEntry(name: name, isDirectory: false, length: node.length, modified: node.modified)
    }

    mutating func syncDirectory(_ path: String) {
        for change in changes where change.directory == path { durableNames[change.path] = change.node }
        changes.removeAll { $0.directory == path }
    }

    // MARK: Bytes

    var space: DiskSpace {
        let total = capacity ?? 1 << 40
        let left = max(0, total - usedBytes)
        return DiskSpace(total: total, available: left, free: left)
    }

    private var usedBytes: Int {
        names.values.reduce(0) { $0 + $1.blocks.count } * SimulatedNode.blockBytes
    }

    /// How many bytes from the start of the range fit the disk.
    func room(for range: Range<Int>, of node: SimulatedNode) -> Int {
        guard let capacity else { return range.count }
        var left = (capacity - usedBytes) / SimulatedNode.blockBytes
        for block in SimulatedNode.blocks(of: range) where !node.blocks.contains(block) {
            if left <= 0 { return max(0, block * SimulatedNode.blockBytes - range.lowerBound) }
            left -= 1
        }
        return range.count
    }

    func write(_ bytes: Span<UInt8>, to node: SimulatedNode, at offset: Int) {
        node.write(bytes, at: offset, now: time.now().milliseconds)
    }

    func flush(_ node: SimulatedNode) { node.flush() }

    mutating func loseDirtySectors(of node: SimulatedNode) {
        node.loseDirtySectors(dropsPages: dropsPagesOnFailedFlush, &random)
    }

    func flipBit(_ path: String, byte: Int, bit: Int) {
        names[path]?.flipBit(byte: byte, bit: bit)
    }

    // MARK: Ends

    mutating func kill() {
        generation += 1
        locks.removeAll()
    }

    mutating func crash() {
        kill()
        faults.removeAll()
        callsLeft = nil
        isOff = false
        // A journal keeps the order of changes: some first part of them survives.
        let kept = random.next(upTo: changes.count)
        for change in changes.prefix(kept) { durableNames[change.path] = change.node }
        changes.removeAll()
        var survivors: [ObjectIdentifier: SimulatedNode] = [:]
        for (path, node) in durableNames.sorted(by: { $0.key < $1.key }) {
            let survivor = survivors[ObjectIdentifier(node)] ?? node.afterCrash(&random)
            survivors[ObjectIdentifier(node)] = survivor
            durableNames[path] = survivor
        }
        names = durableNames
        for directory in directories.keys {
            directories[directory] = directories[directory]?.filter { directories[$0] != nil }
        }
        for path in names.keys {
            // A directory outlives its files: where a removal was undone, so was that of the directory.
            let parent = FileDevice.parent(of: path)
            restoreDirectory(parent)
            directories[parent]?.insert(path)
        }
    }
}
