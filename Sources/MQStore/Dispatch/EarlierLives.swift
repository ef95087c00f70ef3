import Logging
import MQProtocol

/// Queues that begin, by their first entry, behind the place from which the log is dispatched: records of theirs in
/// front of that are of an earlier life.
///
/// A stock broker that deletes a topic tells nobody. The messages stay in its log, and the next ones are numbered from
/// 0: dispatched in order, the old ones would take the places of the new, or come back behind them. It keeps the queue
/// files in that case; whoever builds them again has to look at them first.
struct EarlierLives {
    private struct Life {
        let queue: ConsumeQueue
        /// Where the record with queue offset 0 lies.
        let beginning: LogOffset
        /// Records below are known to be of another life already.
        let ignoredBelow: LogOffset
        /// Where the last record in front of the beginning lies.
        var before: LogOffset?
    }

    private let table: QueueTable
    private var lives: [Life] = []

    /// - Parameters:
    ///   - start: where dispatching is about to begin.
    ///   - untrusted: whether only queues are meant whose files are about to go. Those that stay after a kill begin
    ///     below what is dispatched again, and very many need not be read.
    init(_ table: QueueTable, in log: CommitLog, from start: LogOffset, onlyUntrusted untrusted: Bool) {
        self.table = table
        for queue in table.all {
            // An entry has no checksum: the log must agree.
            guard let beginning = untrusted ? queue.untrustedBeginning : queue.beginning, beginning >= start,
                beginning >= queue.ignoredBelow, log.holdsFirst(of: queue.ref, at: beginning)
            else { continue }
            lives.append(Life(queue: queue, beginning: beginning, ignoredBelow: queue.ignoredBelow))
        }
        lookBack(in: log, from: start)
    }

    /// Lets each queue ignore what lies in front of its beginning, and every queue of a deleted topic too.
    ///
    /// - Returns: deleted topics → their records below are of the earlier life.
    func forget() -> [String: LogOffset] {
        let topics = deletedTopics
        for (topic, offset) in topics { table.forget(topic, below: offset) }
        for life in lives { life.queue.ignore(below: life.beginning) }
        return topics
    }

    /// A topic is deleted with all its queues, also those that have no message since and no files. It was if one of
    /// them has an earlier life, and none has a message of before the oldest beginning: files of one queue may be gone
    /// for other reasons, and then its messages must come back.
    private var deletedTopics: [String: LogOffset] {
        var topics: [String: LogOffset] = [:]
        for (topic, lives) in Dictionary(grouping: lives, by: { $0.queue.ref.topic }) {
            guard let before = lives.compactMap(\.before).max(), let beginning = lives.map(\.beginning).min(),
                before < beginning,
                !table.queues(ofTopic: topic).contains(where: { $0.mayHaveBegun(below: beginning) })
            else { continue }
            topics[topic] = beginning
        }
        return topics
    }

    // MARK: The log

    /// Reads it up to the last of the beginnings.
    private mutating func lookBack(in log: CommitLog, from start: LogOffset) {
        guard let end = lives.map(\.beginning).max() else { return }
        // Gives the queues the numbers that they have here, and others those behind them.
        let names = QueueTable(files: table.files)
        for life in lives { _ = names.queue(life.queue.ref.topic, life.queue.ref.queueID) }
        var lookup = QueueLookup()
        var offset = max(start, log.minimumOffset)
        while offset < end, let slice = log.readable(from: offset) {
            offset = slice.withBytes { bytes in look(at: bytes, of: slice, below: end, &lookup, names) }
        }
    }

    /// - Returns: where to go on.
    private mutating func look(
        at bytes: Span<UInt8>, of slice: LogSlice, below end: LogOffset, _ lookup: inout QueueLookup,
        _ names: QueueTable
    ) -> LogOffset {
        let scanner = LogScanner(
            segmentOffset: slice.offset, checksBodies: false, checksRecords: false, mayBeTorn: false)
        var position = 0
        while slice.offset + position < end {
            switch scanner.step(bytes, at: position) {
            case .blank:
                return slice.nextSegment
            case .end:
                // Damage: what is whole behind it counts.
                guard let next = scanner.resume(bytes, behind: position, flushedEnd: bytes.count) else {
                    return slice.nextSegment
                }
                position = next
            case .record(let record, _):
                let whole = bytes.extracting(position..<position + record.totalSize)
                let topic = whole.extracting(record.topicRange)
                let queue = lookup.queue(topic: topic, queueID: record.queueID, in: names)
                note(record, of: queue.ref.index)
                position += record.totalSize
            }
        }
        return end
    }

    private mutating func note(_ record: RecordView, of index: Int) {
        let type = record.sysFlag.transactionType
        guard index < lives.count, type == .none || type == .commit else { return }
        let offset = record.physicalOffset
        guard offset >= lives[index].ignoredBelow, offset < lives[index].beginning else { return }
        lives[index].before = offset
    }
}

extension CommitLog {
    /// Whether the first record of the queue lies at the offset.
    func holdsFirst(of queue: QueueRef, at offset: LogOffset) -> Bool {
        guard let slice = readable(from: offset) else { return false }
        return slice.withBytes { bytes in
            guard let record = try? RecordView.parse(bytes), record.physicalOffset == offset else { return false }
            return record.queueOffset == .zero && record.queueID == queue.queueID
                && PropertyScan.equal(bytes, record.topicRange, queue.topic)
        }
    }
}

extension StoreFiles {
    /// Records what a stock broker has deleted. Durable on return: the queue files that tell of it go next.
    ///
    /// - Parameter recorded: the record of the queues as it is; nil when there is none.
    /// - Returns: the record as it is then.
    func forget(
        _ topics: [String: LogOffset], _ recorded: DispatchManifest?, _ logger: Logger
    ) throws(StoreError) -> DispatchManifest? {
        guard !topics.isEmpty else { return recorded }
        var manifest = recorded ?? DispatchManifest()
        for (topic, offset) in topics {
            logger.notice("\(topic) was deleted by another broker: its messages below \(offset) stay forgotten")
            manifest.forgotten[topic] = offset
        }
        try save(manifest)
        return manifest
    }
}
