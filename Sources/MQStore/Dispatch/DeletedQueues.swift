import Logging
import MQProtocol

/// Queues of the record that a stock broker has deleted since, and perhaps begun again.
struct DeletedQueues {
    /// Topic → its records below are of the earlier life.
    let topics: [String: LogOffset]
    /// The record without them.
    let kept: DispatchManifest

    /// - Parameters:
    ///   - position: the recorded entries lie below it. One at or below the log's minimum was set back by a start that
    ///     was interrupted, and says nothing.
    ///   - log: its minimum and its end.
    ///   - isFirst: whether the record at the offset is the first of that queue. A damaged entry may name any offset.
    init(
        _ recorded: DispatchManifest,
        _ position: DispatchManifest.Position?,
        _ table: QueueTable,
        log: Range<LogOffset>,
        _ isListed: ((String) -> Bool)?,
        isFirst: (LogOffset, QueueRef) -> Bool
    ) {
        /// Where the queue began again behind the position. Its files may be about to go: after a kill, nothing behind
        /// the position is trusted.
        func newBeginning(_ queue: ConsumeQueue) -> LogOffset? {
            // Without records behind the position there is no new life, and no need to look into every queue.
            guard let position, position.queues > log.lowerBound, position.queues < log.upperBound,
                let beginning = queue.beginning, beginning >= max(position.queues, queue.ignoredBelow),
                isFirst(beginning, queue.ref)
            else { return nil }
            return beginning
        }
        var topics: [String: LogOffset] = [:]
        for line in recorded.queues {
            let queue = table.existing(line.topic, line.queueID)
            if let queue, let beginning = newBeginning(queue) {
                // A topic is deleted with all its queues: its new life begins with the oldest of the new records.
                topics[line.topic] = min(beginning, topics[line.topic] ?? beginning)
            } else if queue?.hasFiles != true, let isListed, !isListed(line.topic) {
                topics[line.topic] = topics[line.topic] ?? log.upperBound
            }
        }
        // Not when another queue of the topic has older messages: the record may name queues that it found behind the
        // position, when a close was interrupted between the two.
        topics = topics.filter { topic, offset in
            offset == log.upperBound || !table.queues(ofTopic: topic).contains { $0.mayHaveBegun(below: offset) }
        }
        var kept = recorded
        kept.forgotten.merge(topics) { max($0, $1) }
        kept.queues.removeAll { topics[$0.topic] != nil }
        self.topics = topics
        self.kept = kept
    }
}
