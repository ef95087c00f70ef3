package import MQProtocol
import Synchronization

/// A look at the store, for run-time information and tests. The values are taken one after the other.
package struct StoreStatistics: Sendable, Hashable {
    package var minimumLogOffset: LogOffset
    package var appendedOffset: LogOffset
    package var flushedOffset: LogOffset
    package var dispatchedOffset: LogOffset
    /// Below `dispatchedOffset` while the index is rebuilt after a crash.
    package var indexedOffset: LogOffset
    /// Queues with files.
    package var queues: Int
    /// Queue files held open.
    package var openQueueFiles: Int
    /// Used share of the disk that holds the store, 0...1; nil when unknown.
    package var diskUsage: Double?
    package var isFull: Bool
}

extension MessageStore {
    /// Asks the file system; not for event loops.
    package var statistics: StoreStatistics {
        StoreStatistics(
            minimumLogOffset: minimumLogOffset,
            appendedOffset: appendedOffset,
            flushedOffset: flushedOffset,
            dispatchedOffset: dispatchedOffset,
            indexedOffset: dispatcher.indexedOffset,
            queues: table.all.count(where: \.hasFiles),
            openQueueFiles: table.files.openCount,
            diskUsage: try? device.space(at: configuration.directory).usedRatio,
            isFull: isFull.load(ordering: .relaxed)
        )
    }

    /// The disks under the directories of the log that are written to, as far as they are known, and under the consume
    /// queues. Asks the file system; not for event loops.
    package var space: (log: [(directory: String, space: DiskSpace)], queues: DiskSpace?) {
        let log = configuration.sortedLogDirectories.compactMap { directory in
            (try? device.space(at: directory)).map { (directory: directory, space: $0) }
        }
        return (log, try? device.space(at: configuration.directory))
    }
}
