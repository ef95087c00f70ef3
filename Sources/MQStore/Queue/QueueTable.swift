import MQProtocol
import Synchronization

/// All consume queues of the store, by name and by number. Queues are never removed, a deleted one is empty.
final class QueueTable: Sendable {
    private struct State {
        var byName: [String: [Int32: Int]] = [:]
        var all: [ConsumeQueue] = []
        var forgotten: [String: LogOffset] = [:]
        var unlisted: (below: LogOffset, isListed: @Sendable (String) -> Bool)?
    }

    let files: QueueFiles
    private let state = Mutex(State())

    init(files: QueueFiles) { self.files = files }

    /// Creates the queue in memory when there is none; its files appear with its first entry.
    func queue(_ topic: String, _ queueID: Int32) -> ConsumeQueue {
        state.withLock { state in
            if let index = state.byName[topic]?[queueID] { return state.all[index] }
            let ref = QueueRef(topic: topic, queueID: queueID, index: state.all.count)
            let queue = ConsumeQueue(ref: ref, files: files)
            if let offset = state.forgotten[topic] {
                queue.ignore(below: offset)
            } else if let unlisted = state.unlisted, !unlisted.isListed(topic) {
                queue.ignore(below: unlisted.below)
            }
            state.all.append(queue)
            state.byName[topic, default: [:]][queueID] = ref.index
            return queue
        }
    }

    func existing(_ topic: String, _ queueID: Int32) -> ConsumeQueue? {
        state.withLock { state in state.byName[topic]?[queueID].map { state.all[$0] } }
    }

    func queues(ofTopic topic: String) -> [ConsumeQueue] {
        state.withLock { state in
            (state.byName[topic] ?? [:]).sorted { $0.key < $1.key }.map { state.all[$0.value] }
        }
    }

    subscript(ref: QueueRef) -> ConsumeQueue { state.withLock { $0.all[ref.index] } }

    /// Records of the topic below the offset are of an earlier life: the queues were deleted when the log ended there.
    func forget(_ topic: String, below offset: LogOffset) {
        state.withLock { state in
            state.forgotten[topic] = offset
            for index in (state.byName[topic] ?? [:]).values { state.all[index].ignore(below: offset) }
        }
    }

    /// The same for each topic that has no queue yet and is not listed.
    func forgetUnlisted(below offset: LogOffset, _ isListed: @escaping @Sendable (String) -> Bool) {
        state.withLock { $0.unlisted = (offset, isListed) }
    }

    /// Topics whose forgotten records may still be in the log.
    func forgotten(logMinimum: LogOffset) -> [String: LogOffset] {
        state.withLock { state in
            state.forgotten = state.forgotten.filter { $0.value > logMinimum }
            return state.forgotten
        }
    }

    var all: [ConsumeQueue] { state.withLock { $0.all } }
}
