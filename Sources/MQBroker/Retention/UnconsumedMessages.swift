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
    private let topics: TopicTable
    private let offsets: OffsetTable
    private let logger: Logger
    private let counts = Mutex<[TopicGroup: Int]>([:])

    init(store: MessageStore, topics: TopicTable, offsets: OffsetTable, logger: Logger) {
        self.store = store
        self.topics = topics
        self.offsets = offsets
        self.logger = logger
    }

    /// Messages deleted so far that the group had not consumed, since the broker started.
    func deleted(topic: String, group: String) -> Int {
        counts.withLock { $0[TopicGroup(topic: topic, group: group)] ?? 0 }
    }

    /// Of all groups and topics.
    var deleted: Int { counts.withLock { $0.values.reduce(0, +) } }

    /// Below which offset, at most `limit`, every group that ever committed an offset has consumed everything. What
    /// cannot be read now counts as not consumed.
    func consumed(upTo limit: LogOffset) -> LogOffset {
        var reached = limit
        forEachGroup { _, queue, next in
            let first = max(next, store.minimumOffset(of: queue))
            let end = store.firstOffset(of: queue, atOrAbove: limit) ?? store.maximumOffset(of: queue)
            guard first < end else { return }
            reached = min(reached, firstRecord(of: queue, from: first, below: end) ?? store.minimumLogOffset)
        }
        return reached
    }

    /// Where the first record is that the queue still knows; entries without one are gaps. Nil when none can be read.
    private func firstRecord(of queue: QueueRef, from first: QueueOffset, below end: QueueOffset) -> LogOffset? {
        var next = first
        while next < end {
            guard let entries = try? store.entries(of: queue, from: next, count: 64), !entries.isEmpty else {
                return nil
            }
            if let entry = entries.first(where: \.hasPlace) { return entry.logOffset }
            next = QueueOffset(rawValue: next.rawValue + Int64(entries.count))
        }
        return nil
    }

    /// The log was deleted in this range; the queues still know what was there.
    func noteDeletion(_ range: Range<LogOffset>) {
        var found: [TopicGroup: Int] = [:]
        var uncounted: Set<TopicGroup> = []
        forEachGroup { pair, queue, next in
            guard let begin = store.firstOffset(of: queue, atOrAbove: range.lowerBound),
                let end = store.firstOffset(of: queue, atOrAbove: range.upperBound)
            else {
                if next < store.maximumOffset(of: queue) { uncounted.insert(pair) }
                return
            }
            let first = max(next, begin)
            if first < end { found[pair, default: 0] += Int(end.rawValue - first.rawValue) }
        }
        if !found.isEmpty { count(found) }
        for pair in uncounted.sorted(by: { $0.key < $1.key }) {
            logger.warning(
                "old messages were deleted, and a queue cannot be read that says how many of them were not consumed",
                metadata: ["topic": "\(pair.topic)", "group": "\(pair.group)"])
        }
    }

    private func count(_ found: [TopicGroup: Int]) {
        counts.withLock { $0.merge(found) { $0 + $1 } }
        for (pair, count) in found.sorted(by: { $0.key.key < $1.key.key }) {
            logger.warning(
                "old messages were deleted before they were consumed; retainUnconsumed=true would keep them",
                metadata: ["topic": "\(pair.topic)", "group": "\(pair.group)", "messages": "\(count)"])
        }
    }

    /// Each group with the queues of the topics on which it has an offset, and where it goes on there.
    ///
    /// In a queue where it has none, of those that consumers are told of, that is at 0: the topic may have got the
    /// queue while the group was away, and it will begin there. A group that begins at the end instead only delays
    /// deletion, up to the watermark, until it has an offset there too. A group without any offset on the topic, as
    /// broadcasting consumers are, is none of these.
    private func forEachGroup(_ body: (TopicGroup, QueueRef, QueueOffset) -> Void) {
        var queues: [String: [QueueRef]] = [:]
        for (pair, committed) in offsets.contents.table where !GroupName.isSystem(pair.group) {
            let known = queues[pair.topic] ?? store.queues(ofTopic: pair.topic)
            queues[pair.topic] = known
            let readable = topics.find(pair.topic)?.config.readQueueNums ?? 0
            for queue in known where committed[queue.queueID] != nil || queue.queueID < readable {
                body(pair, queue, QueueOffset(rawValue: max(0, committed[queue.queueID] ?? 0)))
            }
        }
    }
}
