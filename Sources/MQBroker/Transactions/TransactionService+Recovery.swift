import Logging
package import MQProtocol
package import MQStore
import NIOCore
import Synchronization

extension TransactionService {
    /// Rebuilds the table from the half and op queues. Before the first request.
    ///
    /// - Parameter host: of this broker, for op records that are missing.
    /// - Throws: the device's error.
    package func load(host: HostAddress) throws(StoreError) {
        let counts = try loadCheckCounts()
        savedCounts.withLock { $0 = counts }
        let from = start(counts.progress)
        try readHalves(from: from, decided: try readOps(from: from))
        let end = store.nextOffset(of: halfQueue)
        table.withLock { $0.allArrived(below: end) }
        endCommitted(host: host)
        let schedule = schedule
        table.withLock { $0.restore(counts, schedule: schedule) }
        let count = undecidedCount
        if count > 0 {
            logger.notice("undecided half messages found", metadata: ["count": "\(count)"])
        }
    }

    /// What cannot be read, and a file that a broker without progress in it left, does without.
    private func loadCheckCounts() throws(StoreError) -> CheckCounts {
        let parse: (ByteBuffer) throws -> CheckCounts = { try CheckCounts.decode($0) }
        do throws(StoreError) {
            return try checkFile.load(parse).value ?? CheckCounts()
        } catch {
            guard error.code == .corrupt else { throw error }
            // It is put aside, and everything there is is read.
            _ = try checkFile.loadIfReadable(parse)
            return CheckCounts(progress: .init(half: .zero, op: .zero))
        }
    }

    /// Our own record has a checksum and is taken alone: with one number of another place both would not be of one
    /// moment, and a half whose op record lies before them would be asked about again. It may be older than RocketMQ's,
    /// which costs reading; without it, in a stock directory, that is all there is.
    private func start(_ recorded: CheckCounts.Progress?) -> (half: QueueOffset, op: QueueOffset) {
        func bounded(_ offset: QueueOffset?, _ queue: QueueRef) -> QueueOffset {
            let minimum = max(store.minimumOffset(of: queue), .zero)
            let stock = offsets.offset(group: GroupName.transactionCheck, topic: queue.topic, queueID: 0)
            let wanted = offset ?? stock.map(QueueOffset.init(rawValue:)) ?? minimum
            return min(max(wanted, minimum), store.maximumOffset(of: queue))
        }
        return (bounded(recorded?.half, halfQueue), bounded(recorded?.op, opQueue))
    }

    private func readOps(
        from start: (half: QueueOffset, op: QueueOffset)
    ) throws(StoreError) -> [QueueOffset: Verdict?] {
        var decided: [QueueOffset: Verdict?] = [:]
        try forEachRecord(of: opQueue, from: start.op) { record, _, _ in
            let verdict = HalfRecord.verdict(of: record)
            // Halves before the start are not read.
            for offset in HalfRecord.endedOffsets(record) where offset >= start.half {
                decided.updateValue(verdict, forKey: offset)
            }
        }
        return decided
    }

    /// An undecided half keeps the start of the op queue as its floor: the op records of halves that follow it are
    /// there, and the next start needs them.
    private func readHalves(
        from start: (half: QueueOffset, op: QueueOffset), decided: [QueueOffset: Verdict?]
    ) throws(StoreError) {
        let schedule = schedule
        let now = time.now()
        // An op record names the newest copy of a half and ends them all, those before it and those behind it, but not
        // a half that was sent later with the same key.
        var ended: [HalfTable.Key: (verdict: Verdict?, sent: Timestamp)] = [:]
        try forEachRecord(of: halfQueue, from: start.half) { record, offset, queueOffset in
            let half = HalfRecord.summary(record, at: offset, queueOffset: queueOffset)
            let key = HalfTable.Key(half)
            if let verdict = decided[queueOffset] {
                let sent = table.withLock { $0.ended(half, verdict) }
                ended[key] = (verdict, max(sent, ended[key]?.sent ?? .zero))
            } else if let end = ended[key], half.sent <= end.sent {
                if let verdict = end.verdict { table.withLock { $0.remember(offset, verdict) } }
            } else {
                table.withLock { $0.arrived(half, opFloor: start.op, now: now, schedule: schedule) }
            }
        }
    }

    func forEachRecord(
        of queue: QueueRef,
        from start: QueueOffset,
        _ body: (StoredRecord, LogOffset, QueueOffset) -> Void
    ) throws(StoreError) {
        var position = start
        while true {
            let entries = try store.entries(of: queue, from: position, count: 1024)
            guard !entries.isEmpty else { return }
            for (index, entry) in entries.enumerated() {
                guard let record = store.record(at: entry.recordOffset).flatMap(StoredRecord.init) else { continue }
                body(record, entry.logOffset, position + index)
            }
            position = position + entries.count
        }
    }

    /// The ends of the half and op queues at one moment.
    package struct Ends: Sendable {
        var half: QueueOffset
        var op: QueueOffset
    }

    /// The op queue's is read first: a half and its op record may become readable between the two looks. With the op
    /// queue's end read last, a start would begin behind the op record, yet read the half and take it for undecided.
    /// Read first, it costs that start an op record of a half which it passes over.
    package var ends: Ends {
        let op = store.maximumOffset(of: opQueue)
        return Ends(half: store.maximumOffset(of: halfQueue), op: op)
    }

    /// Notes where the next start may begin, as far as everything that this rests on is durable; the next round notes
    /// the rest.
    ///
    /// - Parameter known: the ends as they were a round ago: a verdict that was readable then is in the table by now,
    ///   one that became readable a moment ago may not be yet. Of halves the table knows which have arrived.
    package func noteProgress(_ known: Ends) {
        let current = table.withLock { $0.progress(halfEnd: min(known.half, $0.arrivedEnd), opEnd: known.op) }
        // Read after the table: every verdict that the table calls final lies below.
        let appended = store.appendedOffset
        let flushed = store.flushedOffset
        let (progress, isWaiting) = unnoted.withLock { unnoted in
            let progress = CheckCounts.Progress(half: current.half, op: current.op)
            return (unnoted.take(progress, restingOn: appended, flushed: flushed), unnoted.isWaiting)
        }
        if isWaiting { store.wakeFlusher() }
        guard let progress else { return }
        for (queue, offset) in [(halfQueue, progress.half), (opQueue, progress.op)] {
            offsets.commit(group: GroupName.transactionCheck, topic: queue.topic, queueID: 0, offset: offset.rawValue)
        }
        noted.withLock { $0 = progress }
    }

    /// Writes how often producers were asked, and the progress, if that changed. Waits for the disk.
    package func saveCheckCounts() {
        var counts = table.withLock { $0.checkCounts }
        let progress = noted.withLock { $0 }
        savedCounts.withLock { saved in
            counts.progress = progress ?? saved.progress
            guard counts != saved else { return }
            do {
                try checkFile.save(counts.encode())
                saved = counts
            } catch {
                logger.warning("the counts of check-backs were not written", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Copies undecided halves below `limit` to the end of the log, so that their segment can go.
    ///
    /// - Returns: below which offset nothing undecided is left: `limit`, or less when a verdict or a half is just being
    ///   stored or the store refuses.
    package func copyForward(below limit: LogOffset) -> LogOffset {
        let limit = min(limit, firstNotArrived ?? limit)
        for half in table.withLock({ $0.stored(before: limit) }) {
            guard let isMine = table.withLock({ $0.beginMove(half) }) else { return half.logOffset }
            guard isMine else { continue }
            defer { table.withLock { $0.endMove(half) } }
            // What cannot be read cannot be committed either: its segment may go.
            guard let record = store.record(at: half.logOffset).flatMap(StoredRecord.init) else { continue }
            do {
                try copyForward(half, record)
            } catch {
                logger.warning("an undecided half message cannot be copied forward", metadata: ["error": "\(error)"])
                return half.logOffset
            }
        }
        return limit
    }

    /// Where the first half is that is in its queue and that an event loop has not told of yet. Retention has let
    /// everything be dispatched that it wants to delete, so none below its limit is missing in the queue.
    private var firstNotArrived: LogOffset? {
        let place = table.withLock { $0.arrivedEnd }
        do throws(StoreError) {
            return try store.entries(of: halfQueue, from: place, count: 1).first.flatMap {
                $0.hasPlace ? $0.logOffset : nil
            }
        } catch {
            logger.warning("nothing is deleted: the queue of half messages cannot be read: \(error)")
            return store.minimumLogOffset
        }
    }

    private func copyForward(_ half: HalfMessage, _ record: StoredRecord) throws(StoreError) {
        let floor = store.maximumOffset(of: opQueue)
        var draft = record.draft(topic: SystemTopic.half, queueID: 0)
        if record.property(PropertyName.preparedQueueOffset) == nil {
            draft.properties.appendProperty(PropertyName.preparedQueueOffset, String(half.queueOffset.rawValue))
        }
        var copy = half
        if half.uniqueKey.isEmpty, half.firstCopy == nil {
            copy.firstCopy = half.logOffset
            draft.properties.appendProperty(ProtocolExtension.firstCopy.name, String(half.logOffset.rawValue))
        }
        var batch = store.makeBatch()
        do throws(StoreError) {
            _ = try batch.add(draft, to: halfQueue, isStoredAgain: true)
        } catch  where error.code == .propertiesTooLarge {
            // Stored by a broker that leaves no room: without its marks rather than where its segment cannot go.
            draft.properties = record.properties
            _ = try batch.add(draft, to: halfQueue, isStoredAgain: true)
        }
        try store.append(&batch, makesRoom: true)
        copy.logOffset = batch[0].logOffset
        copy.queueOffset = batch[0].queueOffset
        copy.size = batch[0].size
        arrived(copy, opFloor: floor)
    }
}
