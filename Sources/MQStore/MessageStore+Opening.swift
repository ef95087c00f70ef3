package import Logging
package import MQProtocol

/// What opening produced, before the store exists.
struct OpenedParts {
    var lock: StoreLock
    var log: CommitLog
    var table: QueueTable
    var index: KeyIndex?
    var dispatcher: Dispatcher
    var files: StoreFiles
}

extension MessageStore {
    /// Opens or creates the store: lock, load, recover the log, bring the queues up to its end.
    ///
    /// How the queues get there:
    /// - After a clean stop they are taken as they are and dispatching goes on at the recorded position, the log's end.
    /// - After a crash (the abort file is there), entries below the recorded position are durable; what follows is
    ///   cleared and dispatched again.
    /// - If a queue that has files according to the record is missing, or files of it at either end, or files are
    ///   unusable, the whole log is dispatched again: intact queues ignore what they have, the others are rebuilt. The
    ///   recorded position is first set back, so that a crash during that begins it anew.
    /// - A recorded queue is not missing when its topic was deleted, which `isListed` tells: by a stock broker, which
    ///   does not know of the record. The same for one that a stock broker deleted and began again at offset 0. Their
    ///   older messages stay forgotten.
    /// - Without a record (a stock broker's directory) the rules are RocketMQ's: behind the highest entry after a
    ///   clean stop, from the checkpoint's segment after a crash.
    /// - Whatever is dispatched again, records of a queue in front of the one that its first entry names belong to an
    ///   earlier life, and stay out.
    ///
    /// The index may be behind when this returns; it catches up while the store serves.
    ///
    /// - Parameter listedTopics: called once the directory is locked: tells of a topic whether it exists, by what is
    ///   known outside of the log; nil when nothing is.
    /// - Throws: `locked`, `configuration`, `corrupt`, or the device's error.
    package static func open(
        _ configuration: StoreConfiguration,
        device: any StorageDevice,
        time: TimeSource,
        logger: Logger,
        observer: StoreObserver,
        listedTopics: () throws(StoreError) -> (@Sendable (String) -> Bool)? = { () throws(StoreError) in nil }
    ) throws(StoreError) -> MessageStore {
        let opening = try StoreOpening(configuration, device, time, logger, observer, listedTopics)
        return MessageStore(
            try opening.run(),
            configuration: configuration,
            device: device,
            time: time,
            logger: logger,
            observer: observer
        )
    }
}

/// The steps of opening a store.
private struct StoreOpening {
    let configuration: StoreConfiguration
    let device: any StorageDevice
    let time: TimeSource
    let logger: Logger
    let observer: StoreObserver
    let isListed: (@Sendable (String) -> Bool)?
    let levels: DelayLevels
    let lock: StoreLock
    let files: StoreFiles
    let table: QueueTable

    init(
        _ configuration: StoreConfiguration,
        _ device: any StorageDevice,
        _ time: TimeSource,
        _ logger: Logger,
        _ observer: StoreObserver,
        _ listedTopics: () throws(StoreError) -> (@Sendable (String) -> Bool)?
    ) throws(StoreError) {
        try configuration.validate()
        guard let levels = DelayLevels(configuration.delayLevels) else {
            throw StoreError(
                .configuration,
                "delayLevels (messageDelayLevel) is \"\(configuration.delayLevels)\"; allowed: numbers with s, m, h, d"
            )
        }
        self.configuration = configuration
        self.device = device
        self.time = time
        self.logger = logger
        self.observer = observer
        self.levels = levels
        lock = try StoreLock.acquire(directory: configuration.directory, device: device)
        isListed = try listedTopics()
        files = StoreFiles(root: configuration.directory, device: device, logger: logger)
        table = QueueTable(
            files: QueueFiles(
                device: device,
                root: configuration.directory,
                entriesPerFile: configuration.queueSegmentEntries,
                limit: configuration.keptQueueFiles()
            )
        )
    }

    func run() throws(StoreError) -> OpenedParts {
        let wasKilled = try files.abort.exists()
        let checkpoint = try files.loadCheckpoint()
        let position = try files.loadPosition()
        var manifest = try files.loadQueues()
        for (topic, offset) in manifest?.forgotten ?? [:] { table.forget(topic, below: offset) }

        let log = try CommitLog.open(configuration, device: device, time: time, logger: logger)
        let report = try recover(log, wasKilled: wasKilled, checkpoint, position)
        var start = report.end
        if wasKilled { start = min(position?.queues ?? report.start, report.end) }
        var damage = try loadQueues(limit: start, wasKilled: wasKilled, manifest, lost: report.damaged)
        if let recorded = manifest {
            let left = try forgetDeleted(recorded, position, in: log)
            damage = damage ?? missing(left)
            manifest = left
        }
        if wasKilled, position == nil { try flushQueues() }
        if !wasKilled { start = cleanStart(position, end: report.end) }
        if let damage {
            logger.warning("consume queues are rebuilt from the whole log: \(damage)")
            start = log.minimumOffset
        }
        manifest = try forgetEarlierLives(manifest, from: start, in: log, onlyUntrusted: wasKilled && damage == nil)
        // A stock broker may have written to a topic, and deleted it, behind the position.
        if !wasKilled, start > log.minimumOffset, let isListed { table.forgetUnlisted(below: report.end, isListed) }
        let last = start == report.end ? report.last : start == position?.queues ? position?.last : nil
        try files.save(.init(queues: start, last: last, sealed: position?.sealed))
        try files.abort.create()
        for queue in table.all { try queue.removeUnusable() }

        let (index, indexStart) = try openIndex(log, wasKilled: wasKilled, position, checkpoint)
        var dispatcher = makeDispatcher(log, index, start, last, indexFrom: min(indexStart, report.end))
        dispatcher.run(includingIndex: false)
        let incomplete = start > log.minimumOffset ? dispatcher.queuesWithGaps : dispatcher.unreachedQueues
        if !incomplete.isEmpty {
            manifest = try forgetEarlierLives(manifest, from: log.minimumOffset, in: log, onlyUntrusted: false)
            // First: were it interrupted after the files are gone, nobody would know that they are missing.
            try files.save(.init(queues: log.minimumOffset, sealed: position?.sealed))
            try forget(incomplete)
            dispatcher = makeDispatcher(log, index, log.minimumOffset, nil, indexFrom: min(indexStart, report.end))
            dispatcher.run(includingIndex: false)
        }
        for queue in table.all { try queue.keepLostPlaces() }
        if let failure = dispatcher.queueFailure { throw failure }
        setCounters(log, manifest, isCut: report.end < position?.queues ?? .zero)
        dispatcher.finishRecovery()
        return OpenedParts(lock: lock, log: log, table: table, index: index, dispatcher: dispatcher, files: files)
    }

    /// Without the record, the checkpoint's times alone say what the queue files have on the disk, and after the clock
    /// was set back they are ahead of that. What a killed process wrote may still be in memory only.
    private func flushQueues() throws(StoreError) {
        for queue in table.all { try queue.flushAll() }
    }

    private func makeDispatcher(
        _ log: CommitLog, _ index: KeyIndex?, _ start: LogOffset, _ last: LogOffset?, indexFrom: LogOffset
    ) -> Dispatcher {
        Dispatcher(
            log: log,
            table: table,
            index: index,
            levels: levels,
            checksRecords: configuration.appendsRecordChecksum,
            waitsForFlush: configuration.flush == .synchronous,
            logger: logger,
            observer: observer,
            queuePosition: start,
            lastRecord: last,
            indexPosition: indexFrom
        )
    }

    /// The next record of these queues does not follow their last entry: entries are missing that should be there.
    private func forget(_ queues: [ConsumeQueue]) throws(StoreError) {
        for queue in queues {
            logger.warning("\(queue.directory) lacks entries and is built again from the whole log")
            try queue.erase(ignoredBelow: queue.ignoredBelow)
        }
    }

    /// Before anything is dispatched again, and before files go: see ``EarlierLives``.
    ///
    /// - Returns: the record of the queues, which then tells of deleted topics.
    private func forgetEarlierLives(
        _ manifest: DispatchManifest?, from start: LogOffset, in log: CommitLog, onlyUntrusted: Bool
    ) throws(StoreError) -> DispatchManifest? {
        guard start < log.appendedOffset else { return manifest }
        let topics = EarlierLives(table, in: log, from: start, onlyUntrusted: onlyUntrusted).forget()
        return try files.forget(topics, manifest, logger)
    }

    /// Finds the end of the log. Beyond what is known to be good, a record whose queue offset does not continue its
    /// queue was not written there by a broker: the log ends before it. Offset 0 begins the next life of a deleted
    /// queue.
    private func recover(
        _ log: CommitLog,
        wasKilled: Bool,
        _ checkpoint: Checkpoint,
        _ position: DispatchManifest.Position?
    ) throws(StoreError) -> RecoveryReport {
        var lookup = QueueLookup()
        var expected: [Int: Int64] = [:]
        var newest = Timestamp.zero
        var flushed = FlushedExtent(
            position, mark: try log.mark.load(), checkpoint: checkpoint.log, wasKilled: wasKilled)
        if flushed.asksQueues { flushed.end = try lastEnd(in: log, notBelow: flushed.recorded) }
        let start = wasKilled ? RecoveryStart.abnormal(notAfter: checkpoint.minimum) : .normal
        return try log.recover(
            start, from: position?.last, trusted: flushed.end, recorded: flushed.recorded, storedBefore: flushed.time,
            passed: { expected = [:] }
        ) { (offset, record, bytes) in
            defer { newest = max(newest, record.storeTimestamp) }
            let type = record.sysFlag.transactionType
            guard wasKilled, type == .none || type == .commit else { return .accept }
            let queue = lookup.queue(topic: bytes.extracting(record.topicRange), queueID: record.queueID, in: table)
            let number = record.queueOffset.rawValue
            let isFlushed = offset < flushed.end || flushed.mayCover(behind: newest) && flushed.covers(record)
            if let wanted = expected[queue.ref.index], number != wanted, number != 0, !isFlushed {
                return .endOfLog(cause: "queue offset \(number) of \(queue.directory) follows \(wanted - 1)")
            }
            expected[queue.ref.index] = number &+ 1
            return .accept
        }
    }

    /// Where the last record ends that a queue knows of and that is still there.
    private func lastEnd(in log: CommitLog, notBelow recorded: LogOffset) throws(StoreError) -> LogOffset {
        guard let limit = log.table.all.last?.end, try log.goesOn(at: recorded) else { return recorded }
        let loader = QueueLoader(table: table, limit: limit, clears: false, recorded: [:], lost: [])
        let entries = try loader.lastEntries(table.files.topics()).sorted { $0.entry.logOffset > $1.entry.logOffset }
        for last in entries where last.entry.logOffset >= recorded {
            let end = try log.endOfRecord(last.number, of: last.queue.ref, at: last.entry.logOffset)
            if let end { return end }
        }
        return recorded
    }

    /// - Returns: why everything must be dispatched again; nil when nothing is wrong.
    private func loadQueues(
        limit: LogOffset,
        wasKilled: Bool,
        _ manifest: DispatchManifest?,
        lost: [Range<LogOffset>]
    ) throws(StoreError) -> String? {
        var recorded: [String: [Int32: DispatchManifest.Queue]] = [:]
        for queue in manifest?.queues ?? [] { recorded[queue.topic, default: [:]][queue.queueID] = queue }
        let loader = QueueLoader(table: table, limit: limit, clears: wasKilled, recorded: recorded, lost: lost)
        var damage: String?
        for loaded in try loader.load(table.files.topics()) {
            let queue = loaded.queue
            if case .damaged(let cause) = loaded.condition { damage = damage ?? cause }
            if queue.isOfEarlierLife {
                damage = damage ?? "queue \(queue.ref.queueID) of \(queue.ref.topic) was deleted and is still there"
                try queue.erase(ignoredBelow: manifest?.forgotten[queue.ref.topic] ?? .zero)
            }
        }
        return damage
    }

    /// - Returns: the record of the queues that should be there.
    private func forgetDeleted(
        _ recorded: DispatchManifest,
        _ position: DispatchManifest.Position?,
        in log: CommitLog
    ) throws(StoreError) -> DispatchManifest {
        let range = log.minimumOffset..<log.appendedOffset
        let deleted = DeletedQueues(recorded, position, table, log: range, isListed) { offset, queue in
            log.holdsFirst(of: queue, at: offset)
        }
        guard !deleted.topics.isEmpty else { return recorded }
        for (topic, offset) in deleted.topics {
            logger.notice("\(topic) was deleted by another broker: its messages below \(offset) stay forgotten")
            table.forget(topic, below: offset)
        }
        // Before the topic can be created anew: a queue that is missing then was lost.
        try files.save(deleted.kept)
        return deleted.kept
    }

    private func missing(_ manifest: DispatchManifest) -> String? {
        for queue in manifest.queues {
            let end = table.existing(queue.topic, queue.queueID)?.end ?? 0
            if end < queue.end {
                return "queue \(queue.queueID) of \(queue.topic) ends at \(end), \(queue.end) were recorded"
            }
        }
        return nil
    }

    private func cleanStart(_ position: DispatchManifest.Position?, end: LogOffset) -> LogOffset {
        if let position { return min(position.queues, end) }
        var highest = LogOffset.zero
        for queue in table.all { highest = max(highest, queue.lastLogEnd) }
        return min(highest, end)
    }

    private func openIndex(
        _ log: CommitLog,
        wasKilled: Bool,
        _ position: DispatchManifest.Position?,
        _ checkpoint: Checkpoint
    ) throws(StoreError) -> (KeyIndex?, LogOffset) {
        guard configuration.indexesKeys else { return (nil, log.appendedOffset) }
        let index = KeyIndex(
            device: device,
            root: configuration.directory,
            geometry: IndexGeometry(slots: configuration.indexSlots, entries: configuration.indexEntries),
            time: time,
            logger: logger
        )
        let known = KeyIndex.Knowledge(
            position: position,
            isClean: !wasKilled,
            sealedEnd: checkpoint.index,
            log: log.minimumOffset..<log.appendedOffset
        )
        let start = try index.load(known)
        return (index, start)
    }

    /// The next queue offsets. A queue all of whose messages are gone goes on where it was.
    ///
    /// - Parameter isCut: the log ends before its recorded end. A queue that lost its last messages then goes on behind
    ///   those it has: a gap in its offsets would look to the next recovery like the end of the log.
    private func setCounters(_ log: CommitLog, _ manifest: DispatchManifest?, isCut: Bool) {
        for queue in table.all { log.setNextQueueOffset(QueueOffset(rawValue: queue.end), of: queue.ref) }
        for recorded in manifest?.queues ?? [] {
            let queue = table.queue(recorded.topic, recorded.queueID)
            if queue.end < recorded.end, !isCut || queue.end == 0 {
                log.setNextQueueOffset(QueueOffset(rawValue: recorded.end), of: queue.ref)
            }
        }
    }
}
