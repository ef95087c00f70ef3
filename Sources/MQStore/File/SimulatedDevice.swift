package import MQProtocol
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A disk in memory that loses power, fails and fills up on demand, always in the same way for the same seed.
///
/// It keeps two versions of everything: what a running system sees, and what the disk really has. ``crash()`` leaves
/// the second, plus a random part of what was written and not flushed, sector by sector and name by name. After a crash
/// the device can be used again at once, as after a restart; files opened before fail with an I/O error.
package final class SimulatedDevice: StorageDevice {
    /// A kind of call that can be made to fail.
    package enum Operation: Hashable, Sendable, CaseIterable {
        case open, read, write, flush, setLength, map, rename, remove, syncDirectory, lock
    }

    let disk: Mutex<SimulatedDisk>

    /// - Parameters:
    ///   - capacity: bytes in blocks of 4 KiB that can be written to; nil for no limit.
    ///   - sectorBytes: what the disk writes as a whole: 512 or 4096.
    ///   - time: stamps modifications.
    package init(seed: UInt64, capacity: Int? = nil, sectorBytes: Int = 512, time: TimeSource = .system) {
        disk = Mutex(SimulatedDisk(seed: seed, capacity: capacity, sectorBytes: sectorBytes, time: time))
    }

    // MARK: Faults

    /// Power off and on: unflushed writes survive or not, each sector on its own; so do names in directories that were
    /// not flushed, in the order in which they changed. Locks are gone.
    package func crash() { disk.withLock { $0.crash() } }

    /// The process ends, the system lives on: everything written stays, locks are gone, open files fail.
    package func kill() { disk.withLock { $0.kill() } }

    /// Makes a call fail: the one after `after` successful ones of that kind, and all later ones when `permanently`.
    package func fail(_ operation: Operation, after: Int = 0, errorNumber: Int32 = 5, permanently: Bool = false) {
        disk.withLock { disk in
            disk.faults.append(
                SimulatedFault(
                    operation: operation,
                    remaining: after,
                    errorNumber: errorNumber,
                    isPermanent: permanently
                )
            )
        }
    }

    /// Lets the power go after so many more calls, in the middle of the one that follows: it fails with part of its
    /// effect, all later ones without any, until ``crash()``.
    package func cutPower(after calls: Int) { disk.withLock { $0.callsLeft = calls } }

    /// Whether the power went since ``cutPower(after:)``.
    package var isPowerless: Bool { disk.withLock { ($0.callsLeft ?? 1) < 0 } }

    /// Nothing fails any more, and the power stays if it is still there.
    package func clearFaults() {
        disk.withLock { disk in
            disk.faults.removeAll()
            if disk.callsLeft ?? 0 >= 0 { disk.callsLeft = nil }
        }
    }

    /// Changes how many bytes can be written to; nil for no limit.
    package func setCapacity(_ bytes: Int?) { disk.withLock { $0.capacity = bytes } }

    /// Whether a failed flush also makes the system forget the bytes it failed to write. Default: false.
    package func setDropsPagesOnFailedFlush(_ drops: Bool) { disk.withLock { $0.dropsPagesOnFailedFlush = drops } }

    /// Flips one bit in memory and on the disk. Does nothing outside of the file.
    package func flipBit(_ path: String, byte: Int, bit: Int) {
        disk.withLock { $0.flipBit(path, byte: byte, bit: bit) }
    }

    /// How many calls of the kind were made, failed ones included.
    package func count(_ operation: Operation) -> Int { disk.withLock { $0.counts[operation] ?? 0 } }

    /// How many calls failed because they were meant to.
    package var failures: Int { disk.withLock { $0.failures } }

    // MARK: StorageDevice

    package func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile {
        let node = try run { (disk) throws(StoreError) in
            try disk.attempt(.open, path)
            return try disk.open(path, mode)
        }
        let generation = disk.withLock { $0.generation }
        return SimulatedFile(path: path, node: node, device: self, generation: generation)
    }

    package func rename(_ old: String, to new: String) throws(StoreError) {
        try run { (disk) throws(StoreError) in
            try disk.attempt(.rename, old)
            try disk.rename(old, new)
        }
    }

    package func remove(_ path: String) throws(StoreError) {
        try run { (disk) throws(StoreError) in
            try disk.attempt(.remove, path)
            try disk.remove(path)
        }
    }

    package func createDirectory(_ path: String) throws(StoreError) {
        try run { (disk) throws(StoreError) in try disk.createDirectory(path) }
    }

    package func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? {
        disk.withLock { $0.list(directory) }
    }

    package func entry(_ path: String) throws(StoreError) -> DirectoryEntry? {
        disk.withLock { $0.entry(path) }
    }

    package func syncDirectory(_ path: String) throws(StoreError) {
        try run { (disk) throws(StoreError) in
            try disk.attempt(.syncDirectory, path)
            disk.syncDirectory(path)
        }
    }

    package func space(at path: String) throws(StoreError) -> DiskSpace {
        disk.withLock { $0.space }
    }

    package func lock(_ path: String) throws(StoreError) -> any FileLock {
        _ = try open(path, .create)
        return try run { (disk) throws(StoreError) in
            try disk.attempt(.lock, path)
            guard disk.locks.insert(path).inserted else { throw StoreLock.refused(path) }
            return SimulatedLock(path: path, device: self, generation: disk.generation)
        }
    }

    func run<Result: Sendable>(
        _ body: (inout SimulatedDisk) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try disk.withLock { (disk) throws(StoreError) in try body(&disk) }
    }
}

final class SimulatedLock: FileLock {
    private let path: String
    private let device: SimulatedDevice
    private let generation: Int

    init(path: String, device: SimulatedDevice, generation: Int) {
        self.path = path
        self.device = device
        self.generation = generation
    }

    deinit {
        device.disk.withLock { disk in
            if disk.generation == generation { disk.locks.remove(path) }
        }
    }
}
