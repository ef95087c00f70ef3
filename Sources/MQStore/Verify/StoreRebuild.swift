import Logging
import MQProtocol
import Synchronization

/// Brings queues and index up to a log whose end is known, and closes the store as a broker does.
///
/// Not by opening the store: that looks for the end of the log itself and, rightly so, stops at the first record that
/// it cannot read and that is not known to have been flushed. Here the end was found by reading everything.
struct StoreRebuild {
    private let configuration: StoreConfiguration
    private let device: any StorageDevice
    private let time: TimeSource
    private let logger: Logger
    private let lock: StoreLock

    init(
        _ configuration: StoreConfiguration, device: any StorageDevice, time: TimeSource, logger: Logger,
        lock: StoreLock
    ) {
        self.configuration = configuration
        self.device = device
        self.time = time
        self.logger = logger
        self.lock = lock
    }

    func run(_ report: VerifyReport) throws(StoreError) {
        let end = report.logEnd
        let files = StoreFiles(root: configuration.directory, device: device, logger: logger)
        let checkpoint = try files.loadCheckpoint()
        let position = try files.loadPosition()
        let table = QueueTable(
            files: QueueFiles(
                device: device, root: configuration.directory, entriesPerFile: configuration.queueSegmentEntries,
                limit: configuration.keptQueueFiles()))
        let manifest = try files.loadQueues()
        for (topic, offset) in manifest?.forgotten ?? [:] { table.forget(topic, below: offset) }
        // Closing records it: a start finds them gone, and does not miss their queues.
        for topic in report.deletedTopics { table.forget(topic, below: end) }
        let log = try CommitLog.open(configuration, device: device, time: time, logger: logger)
        log.adopt(end: end, lastTimestamp: report.lastTimestamp)
        // The next start keeps what lies behind damage.
        try log.mark.begin(at: end)
        let trusted = max(position?.queues ?? .zero, log.minimumOffset)
        try loadQueues(table, limit: report.isUnclean ? min(trusted, end) : end, lost: report.damagedRanges)
        let lives = EarlierLives(table, in: log, from: log.minimumOffset, onlyUntrusted: false)
        _ = try files.forget(lives.forget(), manifest, logger)
        // A crash from here on has everything dispatched again.
        try files.save(.init(queues: .zero))
        for queue in table.all { try queue.removeUnusable() }
        let (index, indexStart) = try openIndex(log, isClean: !report.isUnclean, position, checkpoint)
        let observer = StoreObserver()
        let dispatcher = Dispatcher(
            log: log, table: table, index: index, levels: DelayLevels(configuration.delayLevels) ?? .standard,
            checksRecords: true, waitsForFlush: false, logger: logger, observer: observer,
            queuePosition: log.minimumOffset, indexPosition: indexStart)
        dispatcher.run(includingIndex: true)
        for queue in table.all { try queue.keepLostPlaces() }
        if let failure = dispatcher.queueFailure { throw failure }
        let parts = OpenedParts(
            lock: lock, log: log, table: table, index: index, dispatcher: dispatcher, files: files)
        try MessageStore(
            parts, configuration: configuration, device: device, time: time, logger: logger, observer: observer
        ).close()
    }

    /// As a start does: of what a killed broker had not flushed, any part may be missing, so that entries behind the
    /// recorded position are not believed. Those of records that are gone are: nothing else tells how far a queue was.
    private func loadQueues(_ table: QueueTable, limit: LogOffset, lost: [Range<LogOffset>]) throws(StoreError) {
        let loader = QueueLoader(table: table, limit: limit, clears: true, recorded: [:], lost: lost)
        _ = try loader.load(table.files.topics())
    }

    /// What is left of a closed store's index was found right; the next key goes behind its last. After a kill that is
    /// known of sealed files only.
    private func openIndex(
        _ log: CommitLog, isClean: Bool, _ position: DispatchManifest.Position?, _ checkpoint: Checkpoint
    ) throws(StoreError) -> (KeyIndex?, LogOffset) {
        guard configuration.indexesKeys else { return (nil, log.minimumOffset) }
        let index = KeyIndex(
            device: device, root: configuration.directory,
            geometry: IndexGeometry(slots: configuration.indexSlots, entries: configuration.indexEntries), time: time,
            logger: logger)
        let known = KeyIndex.Knowledge(
            position: isClean ? nil : position, isClean: isClean, sealedEnd: isClean ? .zero : checkpoint.index,
            log: log.minimumOffset..<log.appendedOffset)
        return (index, try index.load(known))
    }
}

extension CommitLog {
    /// Takes the end of the log from who has read all of it. Nothing is written, and nothing may be appended.
    fileprivate func adopt(end: LogOffset, lastTimestamp: Timestamp) {
        state.withLock { state in
            state.active = table.segment(at: end)
            state.end = end
            state.filledEnd = end
            state.repairedEnd = end
            state.lastTimestamp = lastTimestamp
            state.phase = .ready
        }
        commit.withLock { $0 = GroupCommit(done: end) }
        minimum.store((table.firstOffset ?? end).rawValue, ordering: .releasing)
        flushed.store(end.rawValue, ordering: .releasing)
        flushedTime.store(lastTimestamp.milliseconds, ordering: .releasing)
        appended.store(end.rawValue, ordering: .releasing)
    }
}
