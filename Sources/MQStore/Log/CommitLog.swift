package import Logging
package import MQProtocol
import Synchronization

/// The append-only log: all records of all queues, in segments of one length.
///
/// Three locks, always taken in this order: `commit` (held while flushing), `state` (held while appending), the segment
/// table's. Offsets are published through atomics after the bytes are written; readers stay below them and take no
/// part in the append lock.
package final class CommitLog: Sendable {
    let configuration: StoreConfiguration
    let device: any StorageDevice
    let time: TimeSource
    let logger: Logger
    let table: SegmentTable
    let mark: FlushMark
    let state: Mutex<AppendState>
    let commit: Mutex<GroupCommit>
    /// Where new files go.
    let placement: Mutex<SegmentPlacement>
    /// Files of segments that are no longer part of the log and may still be on the disk.
    let removal = Mutex(SegmentRemoval())
    /// See ``deletedOffset``.
    let deletedBelow: Atomic<Int64>
    /// Whether unflushed records may be gone from memory in parts: a flush failed and was not repaired.
    let isFlushFailed = Atomic<Bool>(false)
    /// Whether a failed append may have left something behind the end.
    let needsRepair = Atomic<Bool>(false)
    /// Closed while the filling thread writes zeros into its claim.
    let fillGate = Gate()
    /// Closed while queues are being deleted; see ``hold(_:)``.
    let deletionGate = Gate()
    /// Signalled when the filled window gets short.
    let fillRequest = Wakeup()

    let appended: Atomic<Int64>
    let flushed: Atomic<Int64>
    let flushedTime: Atomic<Int64>
    let minimum: Atomic<Int64>

    /// Creates the directories when absent and loads the files; nothing can be appended before ``recover(_:visit:)``.
    ///
    /// - Throws: `configuration`; `corrupt` naming the file for a wrong length, a foreign file or a gap.
    package static func open(
        _ configuration: StoreConfiguration,
        device: any StorageDevice,
        time: TimeSource,
        logger: Logger
    ) throws(StoreError) -> CommitLog {
        try configuration.validate()
        let segments = try SegmentLoader(configuration: configuration, device: device, logger: logger).load()
        return CommitLog(configuration, device, time, logger, segments)
    }

    private init(
        _ configuration: StoreConfiguration,
        _ device: any StorageDevice,
        _ time: TimeSource,
        _ logger: Logger,
        _ segments: [LogSegment]
    ) {
        self.configuration = configuration
        self.device = device
        self.time = time
        self.logger = logger
        table = SegmentTable(segments)
        mark = FlushMark(root: configuration.directory, device: device, logger: logger)
        let first = segments.first?.offset ?? .zero
        state = Mutex(AppendState(end: first))
        commit = Mutex(GroupCommit(done: first))
        placement = Mutex(SegmentPlacement(limit: configuration.forcedDeletionRatio))
        appended = Atomic(first.rawValue)
        flushed = Atomic(first.rawValue)
        flushedTime = Atomic(0)
        minimum = Atomic(first.rawValue)
        deletedBelow = Atomic(first.rawValue)
    }

    /// The end of the readable log.
    package var appendedOffset: LogOffset { LogOffset(rawValue: appended.load(ordering: .acquiring)) }
    /// The end of the durable log.
    package var flushedOffset: LogOffset { LogOffset(rawValue: flushed.load(ordering: .acquiring)) }
    /// The start of the oldest segment.
    package var minimumOffset: LogOffset { LogOffset(rawValue: minimum.load(ordering: .acquiring)) }
    /// Segments below are gone from the disk too, for certain: until then they may come back with a start.
    var deletedOffset: LogOffset { LogOffset(rawValue: deletedBelow.load(ordering: .acquiring)) }
    /// Store time up to which everything is durable: the checkpoint's physicMsgTimestamp.
    package var flushedTimestamp: Timestamp { Timestamp(milliseconds: flushedTime.load(ordering: .acquiring)) }

    /// Why an append would fail at this moment; nil when nothing is known against it.
    package var refusal: StoreError? { state.withLock { Self.refusal($0) } }

    /// Set from a failed flush until it is repaired.
    var flushFailure: StoreError? { state.withLock { $0.flushFailure } }

    package func nextQueueOffset(of queue: QueueRef) -> QueueOffset {
        state.withLock { QueueOffset(rawValue: $0.counter(queue.index)) }
    }

    package func setNextQueueOffset(_ offset: QueueOffset, of queue: QueueRef) {
        state.withLock { state in
            let missing = queue.index + 1 - state.counters.count
            if missing > 0 { state.counters.append(contentsOf: repeatElement(0, count: missing)) }
            state.counters[queue.index] = offset.rawValue
        }
    }

    /// Lets appends to some queues wait until ``release()``, so that their next messages come after their deletion and
    /// are numbered from 0. One thread at a time.
    ///
    /// - Parameter candidates: called with the append lock held. Those that were ever appended to are held.
    /// - Returns: them, and the end of the log: their records are either below it or not appended yet.
    func hold(_ candidates: () -> [ConsumeQueue]) -> (queues: [ConsumeQueue], end: LogOffset) {
        state.withLock { state in
            let queues = candidates().filter { state.counter($0.ref.index) > 0 }
            state.held = Set(queues.map(\.ref.index))
            if !queues.isEmpty { deletionGate.close() }
            return (queues, state.end)
        }
    }

    func release() {
        state.withLock { $0.held = [] }
        deletionGate.open()
    }

    /// Flushes, deletes prepared segments that were not needed, and refuses further appends.
    package func close() throws(StoreError) {
        let end = state.withLock { state in
            state.phase = .closed
            return state.end
        }
        // A flush that failed is made good first: nothing is repaired before.
        try flush()
        if needsRepair.load(ordering: .relaxed) { try repair() }
        fillGate.waitUntilOpen()
        var directories: Set<String> = []
        for segment in table.all.reversed() where segment.offset > end {
            table.removeLast()
            try device.remove(segment.path)
            directories.insert(segment.directory)
        }
        for directory in directories { try device.syncDirectory(directory) }
    }
}
