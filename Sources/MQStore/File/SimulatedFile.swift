import MQProtocol
import NIOCore
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// An open file of a ``SimulatedDevice``.
final class SimulatedFile: StorageFile {
    let path: String
    private let node: SimulatedNode
    private let device: SimulatedDevice
    private let generation: Int
    /// Failed flushes of the file that this handle already reported: the system tells each handle once.
    private let reportedFailures: Mutex<Int>

    init(path: String, node: SimulatedNode, device: SimulatedDevice, generation: Int) {
        self.path = path
        self.node = node
        self.device = device
        self.generation = generation
        reportedFailures = Mutex(node.failedFlushes)
    }

    private func run<Result: Sendable>(
        _ operation: SimulatedDevice.Operation?,
        _ body: (inout SimulatedDisk) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try device.run { (disk) throws(StoreError) in
            guard disk.generation == generation else { throw .system(EIO, "use after a crash", path) }
            if let operation { try disk.attempt(operation, path) }
            return try body(&disk)
        }
    }

    func length() throws(StoreError) -> Int {
        try run(nil) { _ in node.length }
    }

    func setLength(_ length: Int) throws(StoreError) {
        try run(.setLength) { disk in node.setLength(length, now: disk.time.now().milliseconds) }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StoreError) {
        guard bytes.count > 0 else { return }
        try run(nil) { (disk) throws(StoreError) in
            do throws(StoreError) {
                try disk.attempt(.write, path)
            } catch {
                // A failed write may have written a first part of its bytes.
                if disk.isOff { throw error }
                let kept = disk.partOfFailedWrite(offset..<offset + bytes.count)
                disk.write(bytes.extracting(first: kept), to: node, at: offset)
                throw error
            }
            let room = disk.room(for: offset..<offset + bytes.count, of: node)
            disk.write(bytes.extracting(first: room), to: node, at: offset)
            if room < bytes.count { throw .system(ENOSPC, "write", path) }
        }
    }

    func read(at offset: Int, count: Int, into buffer: inout ByteBuffer) throws(StoreError) -> Int {
        let bytes = try run(.read) { _ in
            offset < node.length ? node.memory.load(offset..<min(offset + count, node.length)) : []
        }
        return buffer.writeBytes(bytes)
    }

    func map(length: Int) throws(StoreError) -> MappedRegion {
        try run(.map) { _ in node.map(length: length) }
    }

    func flush() throws(StoreError) {
        try run(nil) { (disk) throws(StoreError) in
            do throws(StoreError) {
                try disk.attempt(.flush, path)
            } catch {
                if disk.isOff { throw error }
                disk.loseDirtySectors(of: node)
                reportedFailures.withLock { $0 = node.failedFlushes }
                throw error
            }
            disk.flush(node)
            let isNews = reportedFailures.withLock { reported in
                defer { reported = node.failedFlushes }
                return reported != node.failedFlushes
            }
            if isNews { throw .system(EIO, "flush", path) }
        }
    }

    func dropCache() throws(StoreError) {
        try run(nil) { _ in node.dropCache() }
    }

    func nextData(from offset: Int) throws(StoreError) -> Range<Int>? {
        try run(nil) { _ in node.nextData(from: offset) }
    }
}
