/// How and where a message store keeps its files.
///
/// Sizes are bytes. The file sizes of an existing store cannot be changed: loading refuses files of another length.
public struct StoreConfiguration: Sendable {
    /// When an append counts as safe.
    public enum FlushPolicy: Hashable, Sendable {
        /// A record is acknowledged after it reached the disk; one flush answers everyone who waits. Nor can it be read
        /// before, and while flushes fail nothing new can: a consumer never sees what a power loss may take back.
        case synchronous
        /// Records are flushed every `interval`; a power loss may lose what came after the last flush.
        case asynchronous(interval: Duration)
    }

    /// The store's root (`storePathRootDir`). Created when absent.
    public var directory: String
    /// Where commit-log files live (`storePathCommitLog`). Empty: `<directory>/commitlog`.
    /// With n directories, file k goes to directory k mod n of the sorted list of those with room.
    public var commitLogDirectories: [String] = []
    /// Directories with older commit-log files that are read and never written to, nor deleted from
    /// (`readOnlyCommitLogStorePaths`); they must exist, and may also be in ``commitLogDirectories``. Expiry stops at
    /// the first file in them: to let go of their messages, take them off the list. Default: none.
    public var readOnlyLogDirectories: [String] = []
    /// Length of a commit-log file (`mappedFileSizeCommitLog`). Default: 1 GiB.
    public var segmentBytes: Int = 1 << 30
    /// Entries of 20 bytes in a consume-queue file (`mappedFileSizeConsumeQueue` / 20). Default: 300,000.
    public var queueSegmentEntries: Int = 300_000
    /// Hash slots of an index file (`maxHashSlotNum`). Default: 5,000,000.
    public var indexSlots: Int = 5_000_000
    /// Entries of an index file (`maxIndexNum`). Default: 20,000,000.
    public var indexEntries: Int = 20_000_000
    /// Whether keys are indexed (`messageIndexEnable`). Default: true.
    public var indexesKeys: Bool = true
    /// Waiting times of the delay levels (`messageDelayLevel`): numbers with a unit (s, m, h, d), separated by one
    /// space.
    public var delayLevels: String = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"
    /// Consume-queue files kept open; never more than half of what the process may have open (`ulimit -n`), which
    /// `mqbroker` raises to its bound at start and an embedded broker leaves as it is. Default: 4096.
    public var openQueueFiles: Int = 4096
    /// Records further behind the end of the log than this may have to be read from disk: that belongs on another
    /// thread. In bytes. Default: 1 GiB.
    public var coldDistance: Int = 1 << 30
    /// Records further behind the end of the log than this count as on disk: pulls of them are smaller, and a new group
    /// does not begin at them unasked. In bytes. Default: 40 % of the machine's memory, as in RocketMQ.
    public var diskDistance: Int = PhysicalMemory.bytes / 100 * 40
    /// How often queue files are made durable: bounds what a start after a crash dispatches again. Default: 30 s.
    public var checkpointInterval: Duration = .seconds(30)
    /// The same, by bytes of the log, whichever comes first. Default: 1 GiB, about two seconds of a start.
    package var checkpointBytes: Int = 1 << 30

    /// Default: synchronous.
    public var flush: FlushPolicy = .synchronous
    /// How far ahead of the writer the log is filled with zeros. Default: 64 MiB.
    public var zeroFillWindow: Int = 64 << 20
    /// The window before the first record of this process. Default: 16 MiB.
    public var firstWindow: Int = 16 << 20

    /// Longest body of a record (`maxMessageSize`); a record may be 64 KiB longer. Default: 4 MiB.
    public var maximumBodyBytes: Int = 4 << 20
    /// Whether recovery compares each body with its CRC (`checkCRCOnRecover`). Default: true.
    public var checksBodiesOnRecovery: Bool = true
    /// Whether each record ends with RocketMQ 5's CRC of the whole record (`enabledAppendPropCRC`), which is compared
    /// in recovery, if that compares bodies, and before a record becomes readable. Costs 20 bytes a message. Default:
    /// false; an embedded broker sets it.
    public var appendsRecordChecksum: Bool = false

    /// Age at which a commit-log file may be deleted (`fileReservedTime`). Default: 72 hours.
    public var retention: Duration = .seconds(72 * 3600)
    /// Local hours in which old files are deleted (`deleteWhen`). Default: 4.
    public var deletionHours: Set<Int> = [4]
    /// Used share of the disk, in percent, above which old files are deleted at any hour
    /// (`diskMaxUsedSpaceRatio`). Default: 75; 10...95.
    public var deletionPercent: Int = 75
    /// Used share above which files are deleted before their age, once none of several commit-log directories is below
    /// it: those above get no new files (`diskSpaceCleanForciblyRatio`). Default: 0.85.
    public var forcedDeletionRatio: Double = 0.85
    /// Used share above which appends are refused (`diskSpaceWarningLevelRatio`). Default: 0.90.
    public var diskFullRatio: Double = 0.90
    /// Whether `forcedDeletionRatio` has an effect (`cleanFileForciblyEnable`). Default: true.
    public var deletesForcibly: Bool = true

    public init(directory: String) {
        self.directory = directory
    }

    /// The directories of the commit log that are written to, sorted, not empty in a valid configuration.
    package var sortedLogDirectories: [String] {
        let all = commitLogDirectories.isEmpty ? ["\(directory)/commitlog"] : commitLogDirectories.sorted()
        return readOnlyLogDirectories.isEmpty ? all : all.filter { !readOnlyLogDirectories.contains($0) }
    }

    /// Every directory with files of the log.
    package var allLogDirectories: [String] { sortedLogDirectories + readOnlyLogDirectories }

    /// ``openQueueFiles`` as far as the process's limit allows.
    package func keptQueueFiles(of limit: Int = OpenFileLimit.current) -> Int { max(1, min(openQueueFiles, limit / 2)) }

    /// The longest record the log accepts: a body of the longest size and 64 KiB for all else.
    package var maximumRecordBytes: Int { maximumBodyBytes + 65_536 }

    /// Checks every value that could not work.
    ///
    /// - Throws: `configuration`, naming the key, its value and the range allowed.
    public func validate() throws(StoreError) {
        try require(!directory.isEmpty, "directory (storePathRootDir)", directory, "a path")
        try require(
            commitLogDirectories.allSatisfy { !$0.isEmpty }
                && Set(commitLogDirectories).count == commitLogDirectories.count,
            "commitLogDirectories (storePathCommitLog)", "\(commitLogDirectories)", "different, non-empty paths"
        )
        try require(
            readOnlyLogDirectories.allSatisfy { !$0.isEmpty }
                && Set(readOnlyLogDirectories).count == readOnlyLogDirectories.count && !sortedLogDirectories.isEmpty,
            "readOnlyLogDirectories (readOnlyCommitLogStorePaths)", "\(readOnlyLogDirectories)",
            "different, non-empty paths that leave one of storePathCommitLog to be written to"
        )
        try require(
            (1...1 << 28).contains(maximumBodyBytes),
            "maximumBodyBytes (maxMessageSize)", "\(maximumBodyBytes)", "1...\(1 << 28)"
        )
        try require(
            segmentBytes > 8 && segmentBytes <= Int(Int32.max),
            "segmentBytes (mappedFileSizeCommitLog)", "\(segmentBytes)", "9...\(Int32.max)"
        )
        try validateWindows()
        try validateFiles()
        try validateRetention()
    }

    private func validateWindows() throws(StoreError) {
        try require(zeroFillWindow >= 0, "zeroFillWindow", "\(zeroFillWindow)", "0 or more bytes")
        try require(firstWindow >= 0, "firstWindow", "\(firstWindow)", "0 or more bytes")
        if case .asynchronous(let interval) = flush {
            try require(interval > .zero, "flush interval (flushIntervalCommitLog)", "\(interval)", "more than 0 ms")
        }
    }

    private func validateFiles() throws(StoreError) {
        try require(
            (1...100_000_000).contains(queueSegmentEntries),
            "queueSegmentEntries (mappedFileSizeConsumeQueue / 20)", "\(queueSegmentEntries)", "1...100000000"
        )
        try require(
            (1...200_000_000).contains(indexSlots), "indexSlots (maxHashSlotNum)", "\(indexSlots)", "1...200000000")
        try require(
            (2...200_000_000).contains(indexEntries), "indexEntries (maxIndexNum)", "\(indexEntries)", "2...200000000")
    }

    private func validateRetention() throws(StoreError) {
        try require(retention > .zero, "retention (fileReservedTime)", "\(retention)", "more than 0")
        try require(
            deletionHours.allSatisfy { (0...23).contains($0) }, "deletionHours (deleteWhen)",
            "\(deletionHours.sorted())", "0...23"
        )
        try require(
            (10...95).contains(deletionPercent), "deletionPercent (diskMaxUsedSpaceRatio)", "\(deletionPercent)",
            "10...95")
        try require(
            forcedDeletionRatio > 0 && forcedDeletionRatio <= 1,
            "forcedDeletionRatio (diskSpaceCleanForciblyRatio)", "\(forcedDeletionRatio)", "above 0, at most 1"
        )
        try require(
            diskFullRatio > 0 && diskFullRatio <= 1,
            "diskFullRatio (diskSpaceWarningLevelRatio)", "\(diskFullRatio)", "above 0, at most 1"
        )
    }

    private func require(_ holds: Bool, _ key: String, _ value: String, _ allowed: String) throws(StoreError) {
        guard holds else { throw StoreError(.configuration, "\(key) is \(value); allowed: \(allowed)") }
    }
}
