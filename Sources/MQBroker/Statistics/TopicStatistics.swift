import MQProtocol
import Synchronization

/// What was stored in one topic, in total and by queue.
package final class TopicStatistics: Sendable {
    private struct Counts {
        var messages = SampledTotal()
        var bytes = SampledTotal()
        var queues = QueueTotals()
    }

    private let counts = Mutex(Counts())

    package init() {}

    /// Counts messages that one event-loop turn stored in one queue.
    package func stored(queueID: Int32, messages: Int, bytes: Int) {
        counts.withLock { counts in
            counts.messages.add(messages, calls: messages)
            counts.bytes.add(bytes, calls: messages)
            counts.queues.add(queueID, messages: messages, bytes: bytes)
        }
    }

    func sample(_ time: Timestamp) {
        counts.withLock { counts in
            counts.messages.sample(time)
            counts.bytes.sample(time)
            counts.queues.sample(time)
        }
    }

    /// What request 315 may ask for; `queueID` for the counters of one queue.
    func windows(of measure: Measure, queueID: Int32? = nil) -> SampleWindows? {
        counts.withLock { counts in
            guard let queueID else {
                return measure == .messages ? counts.messages.windows : counts.bytes.windows
            }
            return counts.queues.windows(of: measure, queueID: queueID)
        }
    }
}

/// What a pair of counters counts.
enum Measure: Sendable {
    case messages
    case bytes
}

/// Counters per queue id.
struct QueueTotals: Sendable {
    private var messages: [SampledTotal] = []
    private var bytes: [SampledTotal] = []

    /// Queues with a higher id are not counted one by one: an array must not be sized by a number from the wire.
    static let maximumQueues: Int32 = 1024

    mutating func add(_ queueID: Int32, messages count: Int, bytes size: Int) {
        guard queueID >= 0, queueID < Self.maximumQueues else { return }
        let index = Int(queueID)
        while messages.count <= index {
            messages.append(SampledTotal())
            bytes.append(SampledTotal())
        }
        messages[index].add(count, calls: count)
        bytes[index].add(size, calls: count)
    }

    mutating func sample(_ time: Timestamp) {
        for index in messages.indices {
            messages[index].sample(time)
            bytes[index].sample(time)
        }
    }

    /// `nil` when the queue was never counted.
    func windows(of measure: Measure, queueID: Int32) -> SampleWindows? {
        guard queueID >= 0, Int(queueID) < messages.count else { return nil }
        let index = Int(queueID)
        guard messages[index].calls > 0 else { return nil }
        return measure == .messages ? messages[index].windows : bytes[index].windows
    }
}
