import NIOCore
import Synchronization

@testable import MQStore

/// A simulated disk that lets a test do something in the middle of the store's work.
final class HookedDevice: StorageDevice {
    let inner: SimulatedDevice
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ inner: SimulatedDevice) { self.inner = inner }

    /// Called once, before the next file is renamed.
    func onRename(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

    func rename(_ old: String, to new: String) throws(StoreError) {
        let body = hook.withLock { hook in
            defer { hook = nil }
            return hook
        }
        body?()
        try inner.rename(old, to: new)
    }

    func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile { try inner.open(path, mode) }
    func remove(_ path: String) throws(StoreError) { try inner.remove(path) }
    func createDirectory(_ path: String) throws(StoreError) { try inner.createDirectory(path) }
    func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? { try inner.list(directory) }
    func entry(_ path: String) throws(StoreError) -> DirectoryEntry? { try inner.entry(path) }
    func syncDirectory(_ path: String) throws(StoreError) { try inner.syncDirectory(path) }
    func space(at path: String) throws(StoreError) -> DiskSpace { try inner.space(at: path) }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try inner.lock(path) }
}
