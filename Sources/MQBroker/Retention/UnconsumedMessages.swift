import Logging
import MQProtocol
import MQStore
import Synchronization

/// What retention takes from consumer groups before they consumed it.
///
/// RocketMQ deletes by age and space, whatever was consumed, and so does this broker unless `retainUnconsumed` is set.
/// Either way nothing goes silently: each deletion is counted per topic and group, and logged.
final class UnconsumedMessages: Sendable {
    private let store: MessageStore
    private let offsets: OffsetTable
    private let logger: Logger
    private let counts = Mutex<[TopicGroup: Int]>([:])

    init(store: MessageStore, offsets: OffsetTable, logger: Logger) {
        self.store = store
        self.offsets = offsets
        self.logger = logger
    }

    /// Messages deleted so far that the group had not consumed, since the broker started.
    func deleted(topic: String, group: String) -> Int {
        counts.withLock { $0[TopicGroup(topic: topic, group: group)] ?? 0 }
    }

    /// Of all groups and topics.
    var deleted: Int { counts.withLock { $0.values.reduce(0, +) } }

    /// Below which offset, at most `limit`, every group that ever committed an offset has consumed everything.
    func consumed(upTo limit: LogOffset) -> LogOffset {
        var reached = limit
        forEachGroup { _, queue, next in
            let first = max(next, store.minimumOffset(of: queue))
            let end = store.firstOffset(of: queue, atOrAbove: limit)
            guard first < end else { return }
            reached = min(reached, firstRecord(of: queue, from: first, below: end) ?? store.minimumLogOffset)
        }
        return reached
    }

    /// Where the first record is that the queue still knows; blank entries are gaps. Nil when none can be read.
    private func firstRecord(of queue: QueueRef, from first: QueueOffset, below end: QueueOffset) -> LogOffset? {
        var next = first
        while next < end {
            let entries = store.entries(of: queue, from: next, count: 64)
            if entries.isEmpty { return nil }
            if let entry = entries.first(where: { !$0.isBlank }) { return entry.logOffset }
            next = QueueOffset(rawValue: next.rawValue + Int64(entries.count))
        }
        return nil
    }

    /// The log was deleted in this range; the queues still know what was there.
    func noteDeletion(_ range: Range<LogOffset>) {
        var found: [TopicGroup: Int] = [:]
        forEachGroup { pair, queue, next in
            let first = max(next, store.firstOffset(of: queue, atOrAbove: range.lowerBound))
            let end = store.firstOffset(of: queue, atOrAbove: range.upperBound)
            if first < end { found[pair, default: 0] += Int(end.rawValue - first.rawValue) }
        }
        guard !found.isEmpty else { return }
        counts.withLock { $0.merge(found) { $0 + $1 } }
        for (pair, count) in found.sorted(by: { $0.key.key < $1.key.key }) {
            logger.warning(
                "old messages were deleted before they were consumed; retainUnconsumed=true would keep them",
                metadata: ["topic": "\(pair.topic)", "group": "\(pair.group)", "messages": "\(count)"])
        }
    }

    private func forEachGroup(_ body: (TopicGroup, QueueRef, QueueOffset) -> Void) {
        for (pair, queues) in offsets.contents.table where !GroupName.isSystem(pair.group) {
            for (queueID, next) in queues {
                guard let queue = store.existingQueue(pair.topic, queueID) else { continue }
                body(pair, queue, QueueOffset(rawValue: max(0, next)))
            }
        }
    }
}
