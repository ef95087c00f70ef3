import Logging
import MQProtocol
import Synchronization

extension MessageStore {
    /// Deletes the queues of a topic; its messages stay in the log until they expire but can no longer be pulled. A
    /// topic written again begins at offset 0. What is appended to it meanwhile waits, and belongs to the new life.
    package func deleteQueues(ofTopic topic: String) throws(StoreError) {
        _ = try erase { table.queues(ofTopic: topic) }
    }

    /// Deletes the queues of all topics but those to be kept, whatever they hold (codes 215 and 316).
    ///
    /// - Returns: how many queues were deleted.
    @discardableResult
    package func deleteQueues(except isKept: (String) -> Bool) throws(StoreError) -> Int {
        try erase { table.all.filter { !isKept($0.ref.topic) } }
    }

    /// Deletes the files of queues all of whose messages are gone from the log (code 306). The next message goes on
    /// where the queue ended, unless the store is closed before it comes: then it begins at 0.
    ///
    /// - Returns: how many queues were deleted.
    @discardableResult
    package func deleteExpiredQueues() throws(StoreError) -> Int {
        dispatchPending()
        // A segment whose file could not be deleted is back with the next start, and so are its messages.
        let minimum = log.deletedOffset
        let expired = table.all.filter { $0.isExpired(below: minimum) }
        guard !expired.isEmpty else { return 0 }
        return try deletion.withLock { _ throws(StoreError) in
            try recordDeletion(of: expired)
            var count = 0
            for queue in expired where try queue.eraseIfExpired(below: minimum) { count += 1 }
            return count
        }
    }

    /// Lets the next 20 retention runs delete what has expired, whatever the hour (code 329).
    package func deleteExpiredLog() {
        house.withLock { $0.plan.requestDeletion() }
        houseWakeup.signal()
    }

    /// Deletes queues at one offset of the log: records below it are forgotten with their old numbers, those behind it
    /// are numbered from 0. Their senders wait meanwhile.
    ///
    /// - Parameter candidates: those without messages are left out. One that appears meanwhile has none below that
    ///   offset.
    /// - Returns: how many queues were deleted.
    private func erase(_ candidates: () -> [ConsumeQueue]) throws(StoreError) -> Int {
        try deletion.withLock { _ throws(StoreError) in
            let (queues, end) = log.hold(candidates)
            defer { log.release() }
            guard !queues.isEmpty else { return 0 }
            // The record of the deletion names this end: were it not durable, a power loss could take the log back
            // below it, and new messages of the topic would count as those of the earlier life.
            try log.flush()
            for topic in Set(queues.map(\.ref.topic)) { table.forget(topic, below: end) }
            try recordDeletion(of: queues)
            for queue in queues {
                try queue.erase(ignoredBelow: end)
                log.setNextQueueOffset(.zero, of: queue.ref)
            }
            return queues.count
        }
    }

    /// The record of the deletion is durable before the first file goes: a queue missing without it would be rebuilt.
    /// Under ``deletion``, as all writing of that list.
    private func recordDeletion(of queues: [ConsumeQueue]) throws(StoreError) {
        try files.save(manifest(without: Set(queues.map(\.ref))))
        house.withLock { $0.listedQueues = -1 }
    }

    /// - Parameter firsts: where queues are about to begin, by ``QueueRef/index``.
    func manifest(without gone: Set<QueueRef> = [], firsts: [Int: Int64] = [:]) -> DispatchManifest {
        var manifest = DispatchManifest()
        manifest.forgotten = table.forgotten(logMinimum: log.deletedOffset)
        for queue in table.all where !gone.contains(queue.ref) {
            let end = queue.durableEnd
            guard end > 0 else { continue }
            let first = firsts[queue.ref.index] ?? queue.first
            manifest.queues.append(.init(topic: queue.ref.topic, queueID: queue.ref.queueID, end: end, first: first))
        }
        return manifest
    }

    /// One retention run: asks the plan, tells the observer, deletes.
    ///
    /// First what earlier runs could not delete: while a file stays, those behind it do too, or there would be a gap.
    /// To take more from the readers meanwhile would free nothing.
    func runRetention(now: Timestamp) throws(StoreError) {
        try removingDerived { () throws(StoreError) in try log.removeUndeleted() }
        let infos = try log.segmentInfo().filter { $0.offset <= log.appendedOffset }.prefix { !$0.isReadOnly }
        let segments = infos.map { info in
            RetentionPlan.Segment(start: info.offset, end: info.offset + info.length, lastWrite: info.modified)
        }
        let usage = diskUsage()
        let decision = house.withLock { house in
            house.plan.run(
                now: now,
                localHour: LocalTime.hour(of: now),
                segments: segments,
                logUsage: usage.log,
                fullestLogUsage: usage.fullestLog,
                queueUsage: usage.queues
            )
        }
        setFull(decision.isFull)
        guard var wanted = decision.deleteBelow else { return }
        if !decision.isAboveWatermark { wanted = min(wanted, observer.retains(wanted)) }
        // The observer copies what it knows of: what has arrived, with all that is to be told of it.
        dispatch(upTo: wanted)
        wanted = min(wanted, dispatcher.indexedOffset)
        copiedBytes.store(0, ordering: .relaxed)
        var allowed = min(wanted, observer.willDelete(wanted))
        // What the observer copied forward must be durable before the originals go.
        if allowed > log.minimumOffset {
            try log.flush()
            try secureEntries(isUrgent: decision.isAboveWatermark)
        }
        // After a failed flush of a queue file its entries are written again from there: those records must stay.
        if house.withLock({ $0.hasFailedFlush }) {
            allowed = min(allowed, files.recordedPosition ?? log.minimumOffset)
        }
        let before = log.minimumOffset
        try removingDerived { () throws(StoreError) in
            // Also when a file could not be deleted: what left the log can be read no more.
            defer { tellOfDeletion(since: before, decision) }
            try log.removeSegments(below: allowed, maximumCount: decision.segments)
        }
        guard log.minimumOffset > before else { return }
        if decision.isForced { noteForced(freed: log.minimumOffset - before, at: now) }
        if decision.isAboveWatermark { try saveCheckpoint() }
    }

    private func noteForced(freed: Int64, at now: Timestamp) {
        let copied = copiedBytes.load(ordering: .relaxed)
        guard house.withLock({ $0.plan.noteForced(freed: freed, copied: copied, at: now) }) else { return }
        logger.warning(
            """
            to free \(freed) bytes of a nearly full disk, \(copied) bytes of messages that wait for their time or \
            verdict had to be stored again: nothing more is deleted before its age for \(RetentionPlan.rest); free space
            """
        )
    }

    private func tellOfDeletion(since before: LogOffset, _ decision: RetentionPlan.Decision) {
        let minimum = log.minimumOffset
        guard minimum > before else { return }
        logger.notice(
            "deleted the log below \(minimum), trigger \(decision.trigger?.rawValue ?? ""), forced \(decision.isForced)"
        )
        observer.deleted(before..<minimum)
    }

    /// Deletes files of the log, and then what was derived from those that are gone for certain, also when another one
    /// could not be deleted. A file that stays is back with the next start: what belongs to it must be there too.
    private func removingDerived(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        let before = log.deletedOffset
        var failure: StoreError?
        do throws(StoreError) { try body() } catch { failure = error }
        let reached = log.deletedOffset
        if reached > before { try removeDerived(below: reached) }
        if let failure { throw failure }
    }

    /// Once its records are gone, only its entries say where a queue goes on. On a full disk they may have no room
    /// before something is deleted.
    private func secureEntries(isUrgent: Bool) throws(StoreError) {
        do throws(StoreError) {
            try saveCheckpoint()
        } catch {
            if !isUrgent { throw error }
        }
    }

    /// Looks at the disk only: once a second, so that sends are refused before the disk is really full.
    func checkSpace() {
        let usage = diskUsage()
        setFull(house.withLock { $0.plan.updateFull(logUsage: usage.log, queueUsage: usage.queues) })
    }

    func removeDerived(below minimum: LogOffset) throws(StoreError) {
        try deletion.withLock { _ throws(StoreError) in try removeQueueFiles(below: minimum) }
        try index?.removeFiles(below: minimum)
    }

    /// The record of where the queues begin is durable before the first file goes: one that is missing without it is
    /// taken for lost.
    private func removeQueueFiles(below minimum: LogOffset) throws(StoreError) {
        var firsts: [Int: Int64] = [:]
        for queue in table.all {
            let kept = queue.firstKept(below: minimum)
            if kept > queue.first { firsts[queue.ref.index] = kept }
        }
        guard !firsts.isEmpty else { return }
        try files.save(manifest(firsts: firsts))
        for queue in table.all {
            if let kept = firsts[queue.ref.index] { _ = try queue.removeFiles(before: kept) }
        }
    }

    /// Of the log, the least and the most used of the partitions that are written to.
    private func diskUsage() -> (log: DiskUsage?, fullestLog: DiskUsage?, queues: DiskUsage?) {
        let space = space
        let logs = space.log.map { DiskUsage(ratio: $0.space.usedRatio, directory: $0.directory) }
        return (
            logs.min { $0.ratio < $1.ratio }, logs.max { $0.ratio < $1.ratio },
            space.queues.map { DiskUsage(ratio: $0.usedRatio, directory: configuration.directory) }
        )
    }

    private func setFull(_ full: Bool) {
        guard isFull.exchange(full, ordering: .relaxed) != full else { return }
        let (cause, usage) = house.withLock { ($0.plan.fullDisk, $0.plan.decidingUsage) }
        if let cause {
            logger.error("\(cause)")
        } else {
            let share = usage.map { ": \($0)" } ?? ""
            logger.notice("messages are accepted again\(share)")
        }
    }
}
