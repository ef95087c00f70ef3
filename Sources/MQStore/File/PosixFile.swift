import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// An open descriptor.
final class PosixFile: StorageFile {
    let path: String
    private let descriptor: Int32

    init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func length() throws(StoreError) -> Int {
        var status = stat()
        try call("examine", path) { unsafe fstat(descriptor, &status) }
        return Int(status.st_size)
    }

    func setLength(_ length: Int) throws(StoreError) {
        #if canImport(Darwin)
        try reserve(length)
        #endif
        try call("set the length of", path) { ftruncate(descriptor, off_t(length)) }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StoreError) {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(StoreError) in
            guard let start = buffer.baseAddress else { return }
            let done = try transfer(buffer.count, "write", path) { done in
                unsafe TransferStep(
                    result: pwrite(descriptor, start + done, buffer.count - done, off_t(offset + done))
                )
            }
            guard done == buffer.count else { throw .system(EIO, "write", path) }
        }
    }

    func read(at offset: Int, count: Int, into buffer: inout ByteBuffer) throws(StoreError) -> Int {
        var failure: StoreError?
        let read = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            do throws(StoreError) {
                guard let start = target.baseAddress else { return 0 }
                return try transfer(count, "read", path) { done in
                    unsafe TransferStep(result: pread(descriptor, start + done, count - done, off_t(offset + done)))
                }
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return read
    }

    func map(length: Int) throws(StoreError) -> MappedRegion {
        try MappedRegion(descriptor: descriptor, length: length, path: path)
    }

    func flush() throws(StoreError) {
        #if canImport(Darwin)
        // fsync on Darwin leaves the bytes in the drive's cache.
        try call("flush", path) { fcntl(descriptor, F_FULLFSYNC) }
        #else
        try call("flush", path) { fdatasync(descriptor) }
        #endif
    }

    func dropCache() throws(StoreError) {
        #if !canImport(Darwin)
        // Darwin keeps what it could not write; Linux takes it for written.
        let number = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        if number != 0 { throw .system(number, "drop from memory", path) }
        #endif
    }

    func nextData(from offset: Int) throws(StoreError) -> Range<Int>? {
        let length = try length()
        guard offset < length else { return nil }
        #if canImport(Darwin)
        let (seekData, seekHole) = (SEEK_DATA, SEEK_HOLE)
        #else
        let (seekData, seekHole): (Int32, Int32) = (3, 4)
        #endif
        let start = lseek(descriptor, off_t(offset), seekData)
        if start < 0 {
            if errno == ENXIO { return nil }
            // The file system does not know its holes: everything may be data.
            if errno == EINVAL || errno == ENOTSUP { return offset..<length }
            throw .system(errno, "find the data of", path)
        }
        let end = lseek(descriptor, start, seekHole)
        guard end > start else { return Int(start)..<length }
        return Int(start)..<Int(end)
    }

    #if canImport(Darwin)
    /// Asks for the blocks at once, in one piece if possible: APFS does not fill a file by being written in order.
    private func reserve(_ length: Int) throws(StoreError) {
        let present = try self.length()
        guard length > present else { return }
        var request = fstore_t(
            fst_flags: UInt32(F_ALLOCATECONTIG),
            fst_posmode: F_PEOFPOSMODE,
            fst_offset: 0,
            fst_length: off_t(length - present),
            fst_bytesalloc: 0
        )
        if unsafe fcntl(descriptor, F_PREALLOCATE, &request) == -1 {
            request.fst_flags = UInt32(F_ALLOCATEALL)
            try call("reserve space for", path) { unsafe fcntl(descriptor, F_PREALLOCATE, &request) }
        }
    }
    #endif
}
