package import MQProtocol

/// When segments of the log are given up and when appends are refused for want of space.
package struct RetentionSettings: Sendable, Hashable {
    /// How long a segment is kept after its last write. Default: 72 hours (`fileReservedTime`).
    package var reservedTime: Duration = .seconds(72 * 3600)
    /// Hours of the day, local time, in which expired segments are deleted. Default: 4 (`deleteWhen`).
    package var deleteHours: Set<Int> = [4]
    /// Above this share of the disk expired segments are deleted at any hour. Default: 0.75, clamped to 0.10...0.95.
    package var spaceRatio = 0.75
    /// Above this share segments are deleted although they have not expired. Default: 0.85.
    package var forcedRatio = 0.85
    /// Whether `forcedRatio` has any effect. Default: true (`cleanFileForciblyEnable`).
    package var deletesUnexpired = true
    /// Above this share appends are refused. Default: 0.90.
    package var fullRatio = 0.90
    /// How far usage must fall below `fullRatio` before appends are accepted again. Default: 0.01.
    package var fullHysteresis = 0.01
    /// Most segments deleted by one run. Default: 10.
    package var segmentsPerRun = 10

    /// At this share, or a lower one, appends are accepted again. Rounded, since the difference of two binary fractions
    /// may be a little less than the whole percent that it is meant to be.
    package var reopeningRatio: Double { max(0, ((fullRatio - fullHysteresis) * 1000).rounded() / 1000) }

    package init() {}

    package init(_ configuration: StoreConfiguration) {
        reservedTime = configuration.retention
        deleteHours = configuration.deletionHours
        spaceRatio = Double(configuration.deletionPercent) / 100
        forcedRatio = configuration.forcedDeletionRatio
        deletesUnexpired = configuration.deletesForcibly
        fullRatio = configuration.diskFullRatio
    }
}

/// Share of a partition that is in use.
package struct DiskUsage: Sendable, Hashable, CustomStringConvertible {
    /// 0...1, rounded up to a whole percent.
    package var ratio: Double
    /// A directory on it, by which people know it; empty where nobody is told.
    package var directory: String

    package init(ratio: Double, directory: String = "") {
        self.ratio = ratio
        self.directory = directory
    }

    package var description: String { "\(ratio.percent) of the disk under \(directory) is used" }
}

/// Why appends are refused for want of space: the one disk that must have more of it.
package struct FullDisk: Sendable, Hashable, CustomStringConvertible {
    package var usage: DiskUsage
    /// Appends are accepted again at this share, or a lower one.
    package var limit: Double

    package var description: String { "\(usage), and messages are refused until it is \(limit.percent) or less" }
}

extension Double {
    /// A share in percent, with one decimal where it is not a whole one.
    fileprivate var percent: String {
        let tenths = Int((self * 1000).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }
}

/// Decides which segments go and whether the store is writable. Pure; `MessageStore` performs what it returns.
package struct RetentionPlan: Sendable {
    package struct Segment: Sendable, Hashable {
        package var start: LogOffset
        package var end: LogOffset
        /// Time of the last write into the segment.
        package var lastWrite: Timestamp

        package init(start: LogOffset, end: LogOffset, lastWrite: Timestamp) {
            self.start = start
            self.end = end
            self.lastWrite = lastWrite
        }
    }

    package enum Trigger: String, Sendable { case time, space, request }

    package struct Decision: Sendable, Hashable {
        /// Why this run may delete; nil when none of the three triggers holds.
        package var trigger: Trigger?
        /// Segments below this offset go; nil when none does.
        package var deleteBelow: LogOffset?
        /// How many segments that is.
        package var segments = 0
        /// Deleted although not expired.
        package var isForced = false
        /// The disk is used above `forcedRatio`.
        package var isAboveWatermark = false
        package var isFull = false
    }

    /// Runs that one `requestDeletion` is good for.
    package static let runsPerRequest = 20

    package var settings: RetentionSettings
    package private(set) var isFull = false
    /// Of the disks whose space decides whether appends are accepted, the one that was used most when it was looked at
    /// last; nil when none is known.
    package private(set) var decidingUsage: DiskUsage?
    private var requestedRuns = 0
    /// Until when nothing is deleted before its age.
    private var restsUntil: Timestamp?

    package init(settings: RetentionSettings) { self.settings = settings }

    /// Deletes what has expired in the next 20 runs, whatever the hour (code 329).
    package mutating func requestDeletion() { requestedRuns = Self.runsPerRequest }

    /// How long forced deletion rests when it gains little.
    static let rest = Duration.seconds(300)

    /// What waits in a segment is copied to the end of the log before it goes. Where little else is in it, deleting
    /// frees nothing, and the copies would be copied again by the next run, and so on.
    ///
    /// - Returns: whether forced deletion rests now.
    package mutating func noteForced(freed: Int64, copied: Int64, at now: Timestamp) -> Bool {
        guard copied > freed / 2 else { return false }
        restsUntil = now.advanced(by: Self.rest)
        return true
    }

    /// A clock that was set back does not make it longer.
    private func isResting(at now: Timestamp) -> Bool {
        guard let restsUntil else { return false }
        return now < restsUntil && restsUntil <= now.advanced(by: Self.rest)
    }

    /// - Parameters:
    ///   - localHour: 0...23.
    ///   - segments: all segments of the log, oldest first; the last one is never deleted.
    ///   - logUsage: the least used of the log's partitions; nil when unknown. While it has room, new files go there
    ///     and nothing is deleted before its age.
    ///   - fullestLogUsage: the most used of them, where there are several: expired segments go for its sake.
    ///   - queueUsage: the partition of the consume queues; nil when unknown.
    package mutating func run(
        now: Timestamp,
        localHour: Int,
        segments: [Segment],
        logUsage: DiskUsage?,
        fullestLogUsage: DiskUsage? = nil,
        queueUsage: DiskUsage?
    ) -> Decision {
        var decision = Decision(isFull: updateFull(logUsage: logUsage, queueUsage: queueUsage))
        decision.trigger = trigger(
            localHour: localHour, logUsage: fullestLogUsage ?? logUsage, queueUsage: queueUsage
        )
        guard decision.trigger != nil else { return decision }
        decision.isAboveWatermark = max(logUsage?.ratio ?? 0, queueUsage?.ratio ?? 0) > settings.forcedRatio
        let forced = settings.deletesUnexpired && decision.isAboveWatermark && !isResting(at: now)
        for segment in segments.dropLast().prefix(settings.segmentsPerRun) {
            let expired = now.milliseconds - segment.lastWrite.milliseconds >= settings.reservedTime.wholeMilliseconds
            guard expired || forced else { break }
            decision.isForced = decision.isForced || !expired
            decision.deleteBelow = segment.end
            decision.segments += 1
        }
        return decision
    }

    /// Looks at the disk only; runs more often than deletion.
    package mutating func updateFull(logUsage: DiskUsage?, queueUsage: DiskUsage?) -> Bool {
        // The first of equals: on one disk, as they are by default, it goes by the name of the store's own directory.
        decidingUsage = [queueUsage, logUsage].compactMap(\.self).max { $0.ratio < $1.ratio }
        let limit = isFull ? settings.reopeningRatio : settings.fullRatio
        isFull = (decidingUsage?.ratio ?? 0) > limit
        return isFull
    }

    /// Why appends are refused; nil while they are accepted.
    package var fullDisk: FullDisk? {
        guard isFull, let decidingUsage else { return nil }
        return FullDisk(usage: decidingUsage, limit: settings.reopeningRatio)
    }

    private mutating func trigger(localHour: Int, logUsage: DiskUsage?, queueUsage: DiskUsage?) -> Trigger? {
        let limit = min(0.95, max(0.10, settings.spaceRatio))
        let wasRequested = requestedRuns > 0
        if wasRequested { requestedRuns -= 1 }
        if settings.deleteHours.contains(localHour) { return .time }
        guard let logUsage, let queueUsage else { return .space }
        if logUsage.ratio > limit || queueUsage.ratio > limit { return .space }
        return wasRequested ? .request : nil
    }
}
