import Logging
import MQProtocol
import Synchronization

/// Reads the log behind the appenders and feeds consume queues and key index.
///
/// With synchronous flush a record is dispatched when it is flushed, not before: a consumer that was given one which a
/// power loss then takes would be past the message that gets its queue offset, and never see it.
///
/// Recovery and normal running use the same code. There are two positions: queues always go first, because consumers
/// wait for them; the index may be behind after a crash and catches up in between. As soon as both are equal, one pass
/// feeds both.
final class Dispatcher: Sendable {
    struct State {
        /// Records below have their queue entries.
        var queues: LogOffset
        /// Records below have their keys in the index.
        var index: LogOffset
        var lookup = QueueLookup()
        var arrivals: [Arrival] = []
        /// The newest record below `queues`, if it is known.
        var last: LogOffset?
        /// Store time of the newest record dispatched to its queue.
        var lastTimestamp = Timestamp.zero
        /// Queues whose next record did not follow their last entry, in recovery.
        var gaps: [ConsumeQueue] = []
        /// Those of them whose gap was too wide to be filled.
        var unreached: [ConsumeQueue] = []
        /// Nobody is told of what recovery dispatches.
        var isRecovering = true
        var leaps = QueueLeaps()
        /// Something that was read was no record, or not what it claims: places in the queues may be empty.
        var hasMetDamage = false
        /// Entries by queue and queue offset, where they are collected instead of dispatched.
        var collected: [Int: [Int64: QueueEntry]]?
    }

    /// Records per round, so that those who wait for the first are told before the last is parsed.
    private static let recordsPerRound = 2048
    /// Records per round that only the index is behind with: a new message waits for such a round at most.
    private static let recordsPerIndexRound = 256

    private let log: CommitLog
    private let table: QueueTable
    private let index: KeyIndex?
    private let levels: DelayLevels
    /// Whether the checksums of whole records are compared.
    private let checksRecords: Bool
    private let waitsForFlush: Bool
    let logger: Logger
    private let observer: StoreObserver
    let state: Mutex<State>
    private let dispatched: Atomic<Int64>
    /// Why queue files could not be written; appends are refused until a later write succeeds.
    private let failure = Mutex<StoreError?>(nil)
    private let hasFailed = Atomic<Bool>(false)

    init(
        log: CommitLog,
        table: QueueTable,
        index: KeyIndex?,
        levels: DelayLevels,
        checksRecords: Bool,
        waitsForFlush: Bool,
        logger: Logger,
        observer: StoreObserver,
        queuePosition: LogOffset,
        lastRecord: LogOffset? = nil,
        indexPosition: LogOffset
    ) {
        self.log = log
        self.table = table
        self.index = index
        self.levels = levels
        self.checksRecords = checksRecords
        self.waitsForFlush = waitsForFlush
        self.logger = logger
        self.observer = observer
        state = Mutex(State(queues: queuePosition, index: indexPosition, last: lastRecord))
        dispatched = Atomic(queuePosition.rawValue)
    }

    /// Everything below is readable through its queue.
    var dispatchedOffset: LogOffset { LogOffset(rawValue: dispatched.load(ordering: .acquiring)) }

    var indexedOffset: LogOffset { state.withLock { $0.index } }

    /// Nil while the queue files can be written.
    var queueFailure: StoreError? {
        hasFailed.load(ordering: .relaxed) ? failure.withLock { $0 } : nil
    }

    /// Brings the queues to the end of the log, and, if wanted, the index too.
    func run(includingIndex: Bool) {
        while state.withLock({ state in round(&state, includingIndex: includingIndex) }) {}
        state.withLock { state in settleLeaps(&state) }
    }

    /// Calls `body` with the entries that the records from the offset on have, by queue and queue offset, as far as
    /// they are dispatched: most of them are collected first, the last while nothing is dispatched, nor during `body`.
    func withEntries(
        from offset: LogOffset, _ body: ([Int: [Int64: QueueEntry]]) throws(StoreError) -> Void
    ) throws(StoreError) {
        let start = max(offset, log.minimumOffset)
        var collector = State(queues: start, index: start)
        collector.collected = [:]
        collect(below: dispatchedOffset, &collector)
        try state.withLock { (state) throws(StoreError) in
            collect(below: state.queues, &collector)
            try body(collector.collected ?? [:])
        }
    }

    private func collect(below end: LogOffset, _ collector: inout State) {
        while collector.queues < end {
            let reached = pass(from: collector.queues, below: end, &collector, queues: true, keys: false)
            guard reached > collector.queues else { break }
            collector.queues = reached
        }
    }

    /// One bounded piece of work. The observer is called before the next piece begins, so arrivals come in log order.
    ///
    /// - Returns: whether there is more to do.
    func step() -> Bool { state.withLock { round(&$0, includingIndex: true) } }

    /// A gap is damage of the log, or of the queue's files.
    func noteGap(_ queue: ConsumeQueue, _ state: inout State) {
        guard state.isRecovering, !state.gaps.contains(where: { $0 === queue }) else { return }
        state.gaps.append(queue)
    }

    var queuesWithGaps: [ConsumeQueue] { state.withLock { $0.gaps } }
    /// They have only entries whose records are gone, or were misled: they begin again with the first record there is.
    var unreachedQueues: [ConsumeQueue] { state.withLock { $0.unreached } }

    func finishRecovery() { state.withLock { $0.isRecovering = false } }

    func noteQueueFailure(_ error: StoreError?) {
        let changed = failure.withLock { failure in
            let changed = (failure == nil) != (error == nil)
            failure = error
            return changed
        }
        hasFailed.store(error != nil, ordering: .relaxed)
        guard changed else { return }
        if let error {
            logger.error("consume queues cannot be written, appends are refused until they can: \(error)")
        } else {
            logger.notice("consume queues can be written again")
        }
    }

    private func round(_ state: inout State, includingIndex: Bool) -> Bool {
        let minimum = log.minimumOffset
        let end = waitsForFlush ? log.flushedOffset : log.appendedOffset
        state.queues = max(state.queues, minimum)
        state.index = index == nil ? state.queues : max(state.index, minimum)
        if state.queues < end {
            let both = index != nil && state.index == state.queues
            let reached = pass(from: state.queues, below: end, &state, queues: true, keys: both)
            state.queues = reached
            if both || index == nil { state.index = reached }
            dispatched.store(reached.rawValue, ordering: .releasing)
            notify(&state)
            return true
        }
        guard includingIndex, state.index < state.queues else { return false }
        state.index = pass(from: state.index, below: state.queues, &state, queues: false, keys: true)
        return true
    }

    private func notify(_ state: inout State) {
        guard !state.arrivals.isEmpty else { return }
        if !state.isRecovering { observer.dispatched(state.arrivals) }
        state.arrivals.removeAll(keepingCapacity: true)
    }

    /// Dispatches records of one segment, at most a round's worth.
    /// - Returns: the position reached.
    private func pass(
        from start: LogOffset, below end: LogOffset, _ state: inout State, queues: Bool, keys: Bool
    ) -> LogOffset {
        guard let slice = log.readable(from: start, below: end) else { return start }
        return slice.withBytes { bytes in
            var position = 0
            for _ in 0..<(queues ? Self.recordsPerRound : Self.recordsPerIndexRound) {
                guard let (size, magic) = RecordView.sizeAndMagic(bytes, at: position) else { break }
                if magic == RecordLayout.blankMagic, slice.endsSegment, Int(size) == bytes.count - position {
                    return slice.nextSegment
                }
                if let record = parse(bytes, at: position, slice, &state) {
                    if queues { state.last = record.physicalOffset }
                    feed(record, bytes.extracting(position..<position + record.totalSize), &state, queues, keys)
                    position += record.totalSize
                } else {
                    state.hasMetDamage = true
                    guard let next = resume(bytes, behind: position, slice) else {
                        return slice.endsSegment ? slice.nextSegment : slice.end
                    }
                    position = next
                }
            }
            return position == bytes.count && slice.endsSegment ? slice.nextSegment : slice.offset + position
        }
    }

    private func parse(
        _ bytes: Span<UInt8>, at position: Int, _ slice: LogSlice, _ state: inout State
    ) -> RecordView? {
        do throws(RecordError) {
            let record = try RecordView.parse(bytes, at: position)
            if record.physicalOffset != slice.offset + position {
                logger.error(
                    "\(slice.place(position)): the record says it was written at \(record.physicalOffset); skipped")
            } else if let cause = objection(to: record, in: bytes, at: position, slice, &state) {
                logger.error("\(slice.place(position)): \(cause); skipped")
                if state.collected == nil {
                    keepPlace(of: record, bytes.extracting(position..<position + record.totalSize))
                }
            } else {
                return record
            }
        } catch {
            logger.error("\(slice.place(position)): \(error.message); skipped")
        }
        return nil
    }

    /// Why the record is damaged, by the rules of recovery but for its body; nil when nothing speaks against it. A
    /// queue with an impossible name could not be listed, nor would a start find it again.
    ///
    /// The characters of a topic are looked at with the first record of each queue only, or each record would pay for
    /// it: the lookup, which every record needs, knows only queues whose first record passed.
    private func objection(
        to record: RecordView, in bytes: Span<UInt8>, at position: Int, _ slice: LogSlice, _ state: inout State
    ) -> String? {
        let whole = bytes.extracting(position..<position + record.totalSize)
        let isKnown = state.lookup.knows(topic: whole.extracting(record.topicRange), queueID: record.queueID)
        guard isKnown, record.queueOffset >= .zero else {
            return RecordRules.objection(
                to: record, in: bytes, at: position, offset: slice.offset + position, checksBody: false,
                checksRecord: checksRecords)
        }
        return RecordRules.damage(to: record, in: bytes, at: position, checksBody: false, checksRecord: checksRecords)
    }

    /// A damaged record that its queue expects just now keeps its place there: were it given to a new message,
    /// consumers that are past it would never see that one. Readers pass over it.
    private func keepPlace(of record: RecordView, _ bytes: Span<UInt8>) {
        let type = record.sysFlag.transactionType
        let name = bytes.extracting(record.topicRange)
        guard type == .none || type == .commit, RecordRules.isTopic(name), record.queueID >= 0 else { return }
        let topic = QueueLookup.text(name)
        let number = record.queueOffset.rawValue
        // Topic or number may be what is damaged: a queue begins so only with its first message, in a whole log.
        let end = table.existing(topic, record.queueID)?.end ?? 0
        guard number == end, number > 0 || log.minimumOffset == .zero else { return }
        let entry = QueueEntry(logOffset: record.physicalOffset, size: Int32(record.totalSize), tagsCode: 0)
        do throws(StoreError) {
            _ = try table.queue(topic, record.queueID).append(entry, at: number)
        } catch {
            noteQueueFailure(error)
        }
    }

    /// The next place where a whole record, written for just that place, or the blank begins; nil when there is none.
    private func resume(_ bytes: Span<UInt8>, behind damaged: Int, _ slice: LogSlice) -> Int? {
        var position = damaged + 1
        while let (size, magic) = RecordView.sizeAndMagic(bytes, at: position) {
            if magic == RecordLayout.blankMagic, slice.endsSegment, Int(size) == bytes.count - position {
                return position
            }
            if magic == RecordLayout.magic || magic == RecordLayout.longTopicMagic,
                let record = try? RecordView.parse(bytes, at: position),
                record.physicalOffset == slice.offset + position
            {
                return position
            }
            position += 1
        }
        return nil
    }

    private func feed(_ record: RecordView, _ bytes: Span<UInt8>, _ state: inout State, _ queues: Bool, _ keys: Bool) {
        let type = record.sysFlag.transactionType
        guard type != .rollback else { return }
        let queue = state.lookup.queue(
            topic: bytes.extracting(record.topicRange),
            queueID: record.queueID,
            in: table
        )
        let properties = RecordProperties(bytes, record.propertiesRange)
        if queues {
            state.lastTimestamp = record.storeTimestamp
            if type == .none || type == .commit { enqueue(record, bytes, properties, queue, &state) }
        }
        if keys {
            index?.add(
                properties, bytes, prefix: queue.keyPrefix, at: record.physicalOffset, storedAt: record.storeTimestamp
            )
        }
    }

    private func enqueue(
        _ record: RecordView,
        _ bytes: Span<UInt8>,
        _ properties: RecordProperties,
        _ queue: ConsumeQueue,
        _ state: inout State
    ) {
        let tagsCode = properties.tagsCode(queue.kind, bytes, storedAt: record.storeTimestamp, levels: levels)
        let entry = QueueEntry(logOffset: record.physicalOffset, size: Int32(record.totalSize), tagsCode: tagsCode)
        if state.collected != nil {
            state.collected?[queue.ref.index, default: [:]][record.queueOffset.rawValue] = entry
            return
        }
        let number = record.queueOffset.rawValue
        // Its checksum was compared.
        let isVouchedFor = checksRecords && RecordChecksum.isAtEnd(of: bytes)
        if state.isRecovering, !isVouchedFor, !mayPlace(entry, at: number, of: queue, &state) { return }
        guard place(entry, at: number, of: queue, &state) else { return }
        guard !state.isRecovering else { return }
        state.arrivals.append(
            Arrival(
                queue: queue.ref,
                queueOffset: record.queueOffset,
                logOffset: record.physicalOffset,
                size: entry.size,
                tagsCode: tagsCode,
                storeTimestamp: record.storeTimestamp
            )
        )
    }

    /// - Returns: whether it is a new entry, which those who wait are told of.
    func place(_ entry: QueueEntry, at number: Int64, of queue: ConsumeQueue, _ state: inout State) -> Bool {
        do throws(StoreError) {
            switch try queue.append(entry, at: number) {
            case .appended:
                break
            case .known:
                return false
            case .taken(let other):
                logger.error(
                    """
                    \(queue.directory): the records at \(other) and \(entry.logOffset) of commitlog/ both claim queue \
                    offset \(number); the second stays unreadable
                    """
                )
                return false
            case .afterGap(let count):
                noteGap(queue, &state)
                logger.warning("\(queue.directory): no record for the \(count) queue offsets before \(number)")
            case .implausible:
                noteGap(queue, &state)
                if state.isRecovering, !state.unreached.contains(where: { $0 === queue }) {
                    state.unreached.append(queue)
                }
                logger.error(
                    """
                    \(queue.directory): the record at \(entry.logOffset) claims queue offset \(number), far beyond the \
                    end; it stays unreadable
                    """
                )
                return false
            }
        } catch {
            noteQueueFailure(error)
        }
        return true
    }
}

extension LogSlice {
    /// File and position, for messages about damage.
    func place(_ position: Int) -> String { "\(segment.path) at \(range.lowerBound + position)" }
}
