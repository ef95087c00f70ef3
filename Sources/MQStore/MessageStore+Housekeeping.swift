import Logging
import MQProtocol
import Synchronization

/// What the housekeeping thread does when. Times are those of the store's clock.
struct Housekeeping: Sendable {
    static let retentionInterval: Duration = .seconds(10)
    static let firstRetention: Duration = .seconds(60)
    /// Tails of consume queues and pending index entries reach their files this often.
    static let writeInterval: Duration = .seconds(1)

    var plan: RetentionPlan
    private var nextRetention: Timestamp
    private var nextCheckpoint: Timestamp?
    /// Queues with files when the list was last written.
    var listedQueues = -1
    /// A flush of queue files failed, and what it was to make durable has not been written again and flushed since.
    var hasFailedFlush = false
    /// It has not even been written again: it may be gone from memory.
    var mustRewrite = false

    init(plan: RetentionPlan, now: Timestamp) {
        self.plan = plan
        nextRetention = now.advanced(by: Self.firstRetention)
    }

    mutating func isRetentionDue(_ now: Timestamp) -> Bool {
        // The clock may have been set back.
        nextRetention = min(nextRetention, now.advanced(by: Self.firstRetention))
        guard now >= nextRetention else { return false }
        nextRetention = now.advanced(by: Self.retentionInterval)
        return true
    }

    /// - Parameter replayed: bytes of the log that would be dispatched again after a crash.
    mutating func isCheckpointDue(_ now: Timestamp, interval: Duration, replayed: Int64, bytes: Int) -> Bool {
        let isDueByTime = isCheckpointDue(now, interval: interval)
        return isDueByTime || replayed >= Int64(bytes)
    }

    private mutating func isCheckpointDue(_ now: Timestamp, interval: Duration) -> Bool {
        guard let due = nextCheckpoint else {
            nextCheckpoint = now.advanced(by: interval)
            return false
        }
        guard now >= due else {
            nextCheckpoint = min(due, now.advanced(by: interval))
            return false
        }
        nextCheckpoint = now.advanced(by: interval)
        return true
    }
}

extension MessageStore {
    func startHousekeeping() throws(StoreError) {
        let thread = StoreThread(name: "mq-house") { [self] in
            while !isStopping.load(ordering: .acquiring) {
                houseWakeup.wait(timeout: Housekeeping.writeInterval)
                if !isStopping.load(ordering: .acquiring) { keepHouse() }
            }
        }
        try thread.start()
        houseThread.withLock { $0 = thread }
    }

    /// Writes what queues and index hold in memory, and, when it is time, makes it durable and deletes old segments.
    /// Failures are logged and tried again the next time.
    package func keepHouse() {
        let now = time.now()
        checkSpace()
        attempt("record how far the log is flushed") { () throws(StoreError) in try log.mark.sync() }
        attempt("write consume queues and index") { () throws(StoreError) in try writeDerived() }
        let replayed = dispatcher.dispatchedOffset - (files.recordedPosition ?? .zero)
        let (checkpoint, retention) = house.withLock { house in
            (
                house.isCheckpointDue(
                    now, interval: configuration.checkpointInterval, replayed: replayed,
                    bytes: configuration.checkpointBytes),
                house.isRetentionDue(now)
            )
        }
        if checkpoint { attempt("make consume queues durable") { () throws(StoreError) in try saveCheckpoint() } }
        guard retention else { return }
        attempt("delete old segments") { () throws(StoreError) in try runRetention(now: now) }
        // At once: until the number that is left is recorded, a crash means that the whole index is built again.
        attempt("record which index files are left") { () throws(StoreError) in
            if let index { try files.saveSealed(index.sealed) }
        }
    }

    private func attempt(_ what: String, _ body: () throws(StoreError) -> Void) {
        do throws(StoreError) {
            try body()
        } catch {
            logger.error("cannot \(what), trying again later: \(error)")
        }
    }

    private func writeDerived() throws(StoreError) {
        var failure: StoreError?
        do throws(StoreError) { try rewriteQueues() } catch { failure = error }
        for queue in table.all {
            do throws(StoreError) {
                try queue.write()
                queue.releaseIdleMemory()
            } catch {
                failure = error
            }
        }
        dispatcher.noteQueueFailure(failure)
        guard let index else { return }
        try index.writeEntries()
        if try index.sealFull(flushed: log.flushedOffset) {
            try files.saveSealed(index.sealed)
            try saveTimes()
        }
    }

    /// Makes queue files durable and then records how far: after a crash, dispatching begins there.
    ///
    /// The recorded position stays where it is when a flush fails. The system forgets which pages it could not write,
    /// so a later success says nothing about them: everything behind the position is first written again from the log,
    /// at once if possible, for readers.
    package func saveCheckpoint() throws(StoreError) {
        try rewriteQueues()
        let (reached, timestamp) = try writeQueues()
        if log.flushedOffset < reached.queues { try log.flush() }
        do throws(StoreError) {
            try flushQueues()
        } catch {
            attempt("write consume queues again") { () throws(StoreError) in try rewriteQueues() }
            throw error
        }
        // First the position, then the list of what must be there: the list never demands what is behind the position.
        let sealed = index?.sealed
        try files.save(
            .init(queues: reached.queues, last: reached.last, sealed: sealed?.name, sealedFiles: sealed?.files))
        settleQueues()
        try deletion.withLock { _ throws(StoreError) in try listQueues() }
        try saveTimes(queues: timestamp)
    }

    private func listQueues() throws(StoreError) {
        let manifest = manifest()
        guard house.withLock({ $0.listedQueues }) != manifest.queues.count else { return }
        try files.save(manifest)
        house.withLock { $0.listedQueues = manifest.queues.count }
    }

    private func flushQueues() throws(StoreError) {
        do throws(StoreError) {
            for queue in table.all { try queue.flush() }
        } catch {
            house.withLock { house in
                house.hasFailedFlush = true
                house.mustRewrite = true
            }
            throw error
        }
    }

    /// What was captured is flushed, and the position is recorded.
    private func settleQueues() {
        for queue in table.all { queue.settleCapture() }
        house.withLock { $0.hasFailedFlush = false }
    }

    private func rewriteQueues() throws(StoreError) {
        guard house.withLock({ $0.mustRewrite }) else { return }
        try dispatcher.withEntries(from: files.recordedPosition ?? .zero) { (known) throws(StoreError) in
            for queue in table.all { try queue.rewrite(known[queue.ref.index] ?? [:]) }
        }
        house.withLock { $0.mustRewrite = false }
    }

    /// Nothing is dispatched while the position is taken, so the files hold exactly what is below it.
    private func writeQueues() throws(StoreError) -> ((queues: LogOffset, last: LogOffset?), Timestamp) {
        try dispatcher.state.withLock { (state) throws(StoreError) in
            for queue in table.all { try queue.capture() }
            return ((state.queues, state.last), state.lastTimestamp)
        }
    }

    private func saveTimes(queues: Timestamp = .zero) throws(StoreError) {
        try files.save(log: log.flushedTimestamp, queues: queues, index: index?.sealedEnd ?? .zero)
    }

    /// Stops the threads, makes everything durable, removes the abort mark and releases the directory.
    ///
    /// When it throws, the mark stays and the next start recovers as after a crash; nothing that was flushed is lost.
    package func close() throws(StoreError) {
        defer { lock.withLock { $0 = nil } }
        isStopping.store(true, ordering: .releasing)
        houseWakeup.signal()
        houseThread.withLock { $0 }?.join()
        zeroFiller.stop()
        var failure: StoreError?
        do throws(StoreError) { try log.close() } catch { failure = error }
        flusher.stop()
        dispatchThread.stop()
        if let failure { throw failure }
        dispatcher.run(includingIndex: false)
        try closeDerived()
    }

    private func closeDerived() throws(StoreError) {
        try rewriteQueues()
        let (reached, timestamp) = try writeQueues()
        try flushQueues()
        settleQueues()
        let indexPosition = dispatcher.indexedOffset
        _ = try index?.sealFull(flushed: log.flushedOffset)
        let closedIndex = try index?.close(at: indexPosition)
        let sealed = index?.sealed
        // First the position: queues that begin behind it, and are listed, count as begun anew.
        try files.save(
            .init(
                queues: reached.queues, last: reached.last, sealed: sealed?.name, sealedFiles: sealed?.files,
                index: closedIndex))
        try files.save(manifest())
        try saveTimes(queues: timestamp)
        try files.abort.remove()
    }
}
