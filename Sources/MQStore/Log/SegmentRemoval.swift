import MQProtocol

/// Files of the log that are deleted in their order, over several runs when one cannot be deleted.
///
/// No removal may survive a power loss that undoes an earlier one: the log would have a gap, and no start accepts that.
/// In one directory the file system keeps the order. Two directories may be on file systems with a journal each, so
/// what was removed in one is made durable before anything is removed in another.
struct SegmentRemoval: Sendable {
    private struct File: Sendable {
        var path: String
        var directory: String
        var end: LogOffset
    }

    /// Those that are still there.
    private var files: [File] = []
    /// Where the newest removals are not durable yet.
    private var unsynced: String?
    private var removedEnd = LogOffset.zero
    /// Where the last segment ends whose file is gone for certain; zero before the first.
    private(set) var durableEnd = LogOffset.zero

    init() {}

    mutating func add(_ segment: LogSegment) {
        files.append(File(path: segment.path, directory: segment.directory, end: segment.end))
    }

    /// Deletes all of them, durably; when one cannot be deleted, those before it.
    mutating func run(on device: any StorageDevice) throws(StoreError) {
        var failure: StoreError?
        do throws(StoreError) { try remove(on: device) } catch { failure = error }
        try sync(on: device)
        if let failure { throw failure }
    }

    private mutating func remove(on device: any StorageDevice) throws(StoreError) {
        while let file = files.first {
            if file.directory != unsynced { try sync(on: device) }
            try device.remove(file.path)
            files.removeFirst()
            unsynced = file.directory
            removedEnd = file.end
        }
    }

    private mutating func sync(on device: any StorageDevice) throws(StoreError) {
        guard let directory = unsynced else { return }
        try device.syncDirectory(directory)
        unsynced = nil
        durableEnd = removedEnd
    }
}
