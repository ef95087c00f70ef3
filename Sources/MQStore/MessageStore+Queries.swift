package import MQProtocol
import NIOCore

extension MessageStore {
    /// The first offset whose record is still in the log; the maximum when none is, 0 for a queue never written.
    package func minimumOffset(of queue: QueueRef) -> QueueOffset {
        QueueOffset(rawValue: table[queue].bounds(logMinimum: log.minimumOffset).minimum)
    }

    /// The offset after the last one that is readable.
    package func maximumOffset(of queue: QueueRef) -> QueueOffset { QueueOffset(rawValue: table[queue].end) }

    /// The offset the next message gets; ahead of the maximum while the dispatcher is at work.
    package func nextOffset(of queue: QueueRef) -> QueueOffset { log.nextQueueOffset(of: queue) }

    /// Whether the message lies further behind the end of the log than `diskDistance`; false when there is none.
    package func isOnDisk(_ queue: QueueRef, at offset: QueueOffset) -> Bool {
        guard let entry = table[queue].entries(from: offset.rawValue, count: 1)?.entry(0), entry.isWritten else {
            return false
        }
        return log.appendedOffset - entry.logOffset > Int64(configuration.diskDistance)
    }

    /// Whether reading the record may have to wait for the disk: it lies further behind the end of the log than
    /// `coldDistance`. False for what is not in the log.
    package func isCold(at offset: LogOffset) -> Bool {
        let end = log.appendedOffset
        guard offset >= log.minimumOffset, offset < end else { return false }
        return end - offset > Int64(configuration.coldDistance)
    }

    /// The first message of the queue whose record is at or behind the offset; the end of the queue when there is none,
    /// nil when entries cannot be read.
    package func firstOffset(of queue: QueueRef, atOrAbove offset: LogOffset) -> QueueOffset? {
        table[queue].firstEntry(atOrAbove: offset).map(QueueOffset.init(rawValue:))
    }

    /// Keys of records below are in the index; nil when keys are not indexed (any more). Waits for the dispatcher.
    package var indexedOffset: LogOffset? {
        guard let index, !index.hasFailed else { return nil }
        return dispatcher.indexedOffset
    }

    /// The offset whose message was stored nearest to `time`; the last existing one for a time after everything, 0 for
    /// an empty queue.
    package func searchOffset(of queue: QueueRef, at time: Timestamp) -> QueueOffset {
        let number = table[queue].search(time, logMinimum: log.minimumOffset) { storeTimestamp(at: $0.logOffset) }
        return QueueOffset(rawValue: number)
    }

    /// Nil when there is no readable message at the offset.
    package func storeTimestamp(of queue: QueueRef, at offset: QueueOffset) -> Timestamp? {
        guard let entry = table[queue].entries(from: offset.rawValue, count: 1)?.entry(0), !entry.isBlank else {
            return nil
        }
        return storeTimestamp(at: entry.logOffset)
    }

    /// Store time of the oldest record of the log; nil for an empty log.
    package var earliestStoreTimestamp: Timestamp? { storeTimestamp(at: log.minimumOffset) }

    /// Up to `count` entries, fewer at the end of a queue file; none where the queue has none, not yet or not any more.
    ///
    /// - Throws: when entries are there and cannot be read now: nobody may go on as if there were none.
    package func entries(
        of queue: QueueRef, from offset: QueueOffset, count: Int
    ) throws(StoreError) -> [QueueEntry] {
        try table[queue].readEntries(from: offset.rawValue, count: count)
    }

    /// Messages with a key, in log order: the newest `maximum` stored between `begin` and `end`.
    ///
    /// The index knows times to the second, rounded down: a `begin` equal to the exact store time may miss its message.
    package func query(topic: String, key: String, maximum: Int, begin: Timestamp, end: Timestamp) -> QueryResult {
        var result = QueryResult()
        guard let index, maximum > 0 else { return result }
        let newest = index.newest
        result.lastIndexed = newest.time
        result.lastIndexedOffset = newest.offset
        var end = end
        // When everything found in one round is no longer in the log, older hits are not there either, as a rule.
        for _ in 0..<3 {
            let hits = index.search(topic: topic, key: key, begin: begin, end: end, maximum: maximum)
            guard let oldest = hits.map(\.time).min() else { break }
            let places = Set(hits.map(\.offset)).sorted()
            result.records = places.compactMap { record(at: $0) }
            if !result.records.isEmpty || oldest < begin { break }
            end = oldest
        }
        return result
    }
}
