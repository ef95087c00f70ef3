import NIOCore
import Synchronization

@testable import MQStore

/// A simulated disk that lets a test do something in the middle of the store's work.
final class HookedDevice: StorageDevice {
    let inner: SimulatedDevice
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)
    private let openHook = Mutex<(directory: String, body: @Sendable () -> Void)?>(nil)
    private let flushHook = Mutex<(path: String, body: @Sendable () -> StoreError?)?>(nil)

    init(_ inner: SimulatedDevice) { self.inner = inner }

    /// Called once, before the next file is renamed.
    func onRename(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

    /// Called once, before the next file of the directory is opened.
    func onOpen(in directory: String, _ body: @escaping @Sendable () -> Void) {
        openHook.withLock { $0 = (directory, body) }
    }

    /// Called once, for the first flush through the next handle of the file: the flush fails with what it returns.
    func onFlush(of path: String, _ body: @escaping @Sendable () -> StoreError?) {
        flushHook.withLock { $0 = (path, body) }
    }

    func rename(_ old: String, to new: String) throws(StoreError) {
        let body = hook.withLock { hook in
            defer { hook = nil }
            return hook
        }
        body?()
        try inner.rename(old, to: new)
    }

    func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile {
        let body = openHook.withLock { hook -> (@Sendable () -> Void)? in
            guard let found = hook, path.hasPrefix(found.directory + "/") else { return nil }
            hook = nil
            return found.body
        }
        body?()
        let file = try inner.open(path, mode)
        let flushed = flushHook.withLock { hook -> (@Sendable () -> StoreError?)? in
            guard let found = hook, path == found.path else { return nil }
            hook = nil
            return found.body
        }
        guard let flushed else { return file }
        return HookedFile(file, onFlush: flushed)
    }

    func remove(_ path: String) throws(StoreError) { try inner.remove(path) }
    func createDirectory(_ path: String) throws(StoreError) { try inner.createDirectory(path) }
    func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? { try inner.list(directory) }
    func entry(_ path: String) throws(StoreError) -> DirectoryEntry? { try inner.entry(path) }
    func syncDirectory(_ path: String) throws(StoreError) { try inner.syncDirectory(path) }
    func space(at path: String) throws(StoreError) -> DiskSpace { try inner.space(at: path) }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try inner.lock(path) }
}

/// A file of which the test decides how its first flush ends.
private final class HookedFile: StorageFile {
    private let inner: any StorageFile
    private let hook: Mutex<(@Sendable () -> StoreError?)?>

    init(_ inner: any StorageFile, onFlush body: @escaping @Sendable () -> StoreError?) {
        self.inner = inner
        hook = Mutex(body)
    }

    var path: String { inner.path }

    func flush() throws(StoreError) {
        let body = hook.withLock { hook in
            defer { hook = nil }
            return hook
        }
        if let error = body?() { throw error }
        try inner.flush()
    }

    func length() throws(StoreError) -> Int { try inner.length() }
    func setLength(_ length: Int) throws(StoreError) { try inner.setLength(length) }
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StoreError) { try inner.write(bytes, at: offset) }
    func read(at offset: Int, count: Int, into buffer: inout ByteBuffer) throws(StoreError) -> Int {
        try inner.read(at: offset, count: count, into: &buffer)
    }
    func map(length: Int) throws(StoreError) -> MappedRegion { try inner.map(length: length) }
    func dropCache() throws(StoreError) { try inner.dropCache() }
    func nextData(from offset: Int) throws(StoreError) -> Range<Int>? { try inner.nextData(from: offset) }
}
