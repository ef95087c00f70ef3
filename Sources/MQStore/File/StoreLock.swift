#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Keeps two brokers from opening one store: the file `lock` under the root, held until released by `deinit`.
package final class StoreLock: Sendable {
    private let lock: any FileLock

    private init(_ lock: any FileLock) { self.lock = lock }

    /// Locks as a stock broker does, so each refuses to start while the other runs.
    /// - Throws: `locked` at once.
    package static func acquire(directory: String, device: any StorageDevice) throws(StoreError) -> StoreLock {
        try device.createDirectory(directory)
        let path = "\(directory)/lock"
        let lock = StoreLock(try device.lock(path))
        try device.open(path, .readWrite).write([0x6C, 0x6F, 0x63, 0x6B].span, at: 0)
        return lock
    }

    /// Locks a store that is only read: nothing is created or written.
    ///
    /// - Returns: nil when no broker ever locked the store, or when it cannot be written to at all.
    /// - Throws: `locked` at once.
    package static func hold(directory: String, device: any StorageDevice) throws(StoreError) -> StoreLock? {
        let path = "\(directory)/lock"
        guard try device.exists(path) else { return nil }
        do throws(StoreError) {
            return StoreLock(try device.lock(path))
        } catch  where error.code == .permission {
            return nil
        }
    }

    static func refused(_ path: String) -> StoreError {
        StoreError(
            .locked,
            "\(path) is locked by another broker; stop that broker, or give this one a store directory of its own"
        )
    }
}

/// A record lock on byte 0 that belongs to the open file, not to the process.
///
/// A classic record lock would be dropped as soon as any descriptor of the file is closed in this process, and would
/// not stop a second store in it. Both kinds exclude each other, so a Java broker's lock is seen and sees this one.
final class PosixLock: FileLock {
    enum Owner { case openFile, process }

    private let descriptor: Int32

    /// Takes over the descriptor.
    /// - Parameter owner: `process` is the lock that a Java broker takes; for tests.
    init(path: String, descriptor: Int32, owner: Owner = .openFile) throws(StoreError) {
        self.descriptor = descriptor
        #if canImport(Darwin)
        // A flock of Darwin excludes the record locks of other owners.
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
        #else
        var request = flock()
        request.l_type = Int16(F_WRLCK)
        request.l_whence = Int16(SEEK_SET)
        request.l_start = 0
        request.l_len = 1
        let command = owner == .openFile ? Self.setOpenFileLock : F_SETLK
        if unsafe fcntl(descriptor, command, &request) == 0 { return }
        #endif
        let number = errno
        if number == EAGAIN || number == EACCES || number == EWOULDBLOCK { throw StoreLock.refused(path) }
        throw .system(number, "lock", path)
    }

    deinit { close(descriptor) }

    #if !canImport(Darwin)
    /// F_OFD_SETLK, which the C library's headers show only on request.
    private static let setOpenFileLock: Int32 = 37
    #endif
}
