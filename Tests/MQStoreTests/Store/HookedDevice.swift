import NIOCore
import Synchronization

@testable import MQStore

/// A simulated disk that lets a test do something in the middle of the store's work.
final class HookedDevice: StorageDevice {
    let inner: SimulatedDevice
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)
    private let openHook = Mutex<(directory: String, body: @Sendable () -> Void)?>(nil)

    init(_ inner: SimulatedDevice) { self.inner = inner }

    /// Called once, before the next file is renamed.
    func onRename(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

    /// Called once, before the next file of the directory is opened.
    func onOpen(in directory: String, _ body: @escaping @Sendable () -> Void) {
        openHook.withLock { $0 = (directory, body) }
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
        return try inner.open(path, mode)
    }

    func remove(_ path: String) throws(StoreError) { try inner.remove(path) }
    func createDirectory(_ path: String) throws(StoreError) { try inner.createDirectory(path) }
    func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? { try inner.list(directory) }
    func entry(_ path: String) throws(StoreError) -> DirectoryEntry? { try inner.entry(path) }
    func syncDirectory(_ path: String) throws(StoreError) { try inner.syncDirectory(path) }
    func space(at path: String) throws(StoreError) -> DiskSpace { try inner.space(at: path) }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try inner.lock(path) }
}
