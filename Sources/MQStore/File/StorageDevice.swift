package import NIOCore

/// The disk as the store sees it: everything the store writes or reads goes through here.
///
/// ``FileDevice`` is the real one, ``SimulatedDevice`` loses power and fails on demand. Paths are absolute or relative
/// to the process; `/` separates. Calls block, so none is made on an event loop except the append itself.
package protocol StorageDevice: Sendable {
    /// - Throws: `notFound` when `mode` does not create and nothing is there.
    func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile
    /// Replaces `new` if it exists. Durable after ``syncDirectory(_:)`` of the directories involved.
    func rename(_ old: String, to new: String) throws(StoreError)
    /// Removes a file or an empty directory. Nothing there is not an error.
    func remove(_ path: String) throws(StoreError)
    /// Creates the directory and its parents, and makes their names durable. An existing one is not an error.
    func createDirectory(_ path: String) throws(StoreError)
    /// The entries of a directory sorted by name; nil when there is no such directory.
    func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]?
    /// What is known of one path; nil when nothing is there.
    func entry(_ path: String) throws(StoreError) -> DirectoryEntry?
    /// Makes creations, removals and renames inside the directory durable.
    func syncDirectory(_ path: String) throws(StoreError)
    /// The space of the file system that holds `path`.
    func space(at path: String) throws(StoreError) -> DiskSpace
    /// Locks bytes 0..1 of the file exclusively, as a stock broker does; the lock lasts as long as the object.
    /// - Throws: `locked` at once when another holder exists.
    func lock(_ path: String) throws(StoreError) -> any FileLock
}

/// An open file; closed when the last reference goes. Thread safe: writers must not overlap each other.
package protocol StorageFile: AnyObject, Sendable {
    var path: String { get }
    /// The present length in bytes.
    func length() throws(StoreError) -> Int
    /// Cuts the file, or lengthens it with zeros that occupy no space yet.
    func setLength(_ length: Int) throws(StoreError)
    /// Writes all the bytes. After an error any part of them may have been written.
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StoreError)
    /// Appends up to `count` bytes to the buffer; fewer only at the end of the file.
    /// - Returns: how many bytes were read.
    func read(at offset: Int, count: Int, into buffer: inout ByteBuffer) throws(StoreError) -> Int
    /// Maps bytes 0..<length for reading; later writes through this file show in the map.
    func map(length: Int) throws(StoreError) -> MappedRegion
    /// Makes written bytes and the length durable. After an error no unflushed byte may be trusted, even if a later
    /// call succeeds: the system forgets which pages it failed to write.
    func flush() throws(StoreError)
    /// Forgets what is flushed or was given up on, so that reading shows what the disk has. Bytes not yet flushed stay,
    /// and so do pages that a map has shown already.
    func dropCache() throws(StoreError)
    /// The next range at or after `offset` that may hold anything but zeros; nil when only a hole follows.
    func nextData(from offset: Int) throws(StoreError) -> Range<Int>?
}

/// Held as long as the object lives.
package protocol FileLock: AnyObject, Sendable {}

package enum OpenMode: Sendable {
    case readOnly
    case readWrite
    /// Read and write; made when absent, kept as it is otherwise.
    case create
    /// Read and write; made when absent, emptied otherwise.
    case truncate
}

package struct DirectoryEntry: Sendable, Hashable {
    package var name: String
    package var isDirectory: Bool
    package var length: Int
    /// Milliseconds since 1970 of the last modification.
    package var modified: Int64
}

package struct DiskSpace: Sendable, Hashable {
    package var total: Int
    /// Free for this process, without what is reserved for root.
    package var available: Int
    package var free: Int

    /// Used / (used + available), rounded up to whole percents as stock does; 0...1.
    package var usedRatio: Double {
        let used = total - free
        let whole = used + available
        guard whole > 0 else { return 1 }
        return Double((used * 100 + whole - 1) / whole) / 100
    }
}

extension StorageDevice {
    package func exists(_ path: String) throws(StoreError) -> Bool { try entry(path) != nil }

    /// The whole content; nil when there is no such file.
    package func contents(of path: String) throws(StoreError) -> ByteBuffer? {
        guard let entry = try entry(path), !entry.isDirectory else { return nil }
        let file = try open(path, .readOnly)
        var buffer = ByteBuffer()
        let length = try file.length()
        buffer.reserveCapacity(length)
        _ = try file.read(at: 0, count: length, into: &buffer)
        return buffer
    }
}

extension StorageFile {
    package func write(_ buffer: ByteBuffer, at offset: Int) throws(StoreError) {
        try write(buffer.readableBytesUInt8Span, at: offset)
    }

    /// Writes zeros in small steps, so that the blocks are really allocated and written, and who writes to the same
    /// file meanwhile never waits long for the system's lock on it.
    package func zeroFill(_ range: Range<Int>) throws(StoreError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let count = min(Zeros.block.readableBytes, range.upperBound - position)
            try write(Zeros.block.readableBytesUInt8Span.extracting(first: count), at: position)
            position += count
        }
    }
}

package enum Zeros {
    /// 64 KiB of zeros, shared. Also the size of the memory pages in which the system then keeps that part of the file,
    /// which it walks block by block for each small write: 1 MiB made the appends behind the filling much slower.
    package static let block = ByteBuffer(repeating: 0, count: 1 << 16)
}
