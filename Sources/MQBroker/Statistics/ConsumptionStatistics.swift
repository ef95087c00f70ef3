import MQProtocol
import Synchronization

/// What one group got from one topic.
package final class ConsumptionStatistics: Sendable {
    private struct Counts {
        var messages = SampledTotal()
        var bytes = SampledTotal()
        /// Milliseconds from the request to the answer.
        var latency = SampledTotal()
        var sentBack = SampledTotal()
        var queues = QueueTotals()
    }

    enum Counter: Sendable {
        case messages
        case bytes
        case latency
        case sentBack
    }

    private let counts = Mutex(Counts())

    package init() {}

    /// Counts the messages of one pull answer.
    package func delivered(queueID: Int32, messages: Int, bytes: Int, elapsed: Duration) {
        counts.withLock { counts in
            counts.messages.add(messages)
            counts.bytes.add(bytes)
            counts.latency.add(Int(clamping: elapsed.wholeMilliseconds))
            counts.queues.add(queueID, messages: messages, bytes: bytes)
        }
    }

    /// Counts one message that a consumer sent back.
    package func sentBack() {
        counts.withLock { $0.sentBack.add(1) }
    }

    func sample(_ time: Timestamp) {
        counts.withLock { counts in
            counts.messages.sample(time)
            counts.bytes.sample(time)
            counts.latency.sample(time)
            counts.sentBack.sample(time)
            counts.queues.sample(time)
        }
    }

    func windows(of counter: Counter) -> SampleWindows {
        counts.withLock { counts in
            switch counter {
            case .messages: counts.messages.windows
            case .bytes: counts.bytes.windows
            case .latency: counts.latency.windows
            case .sentBack: counts.sentBack.windows
            }
        }
    }

    func windows(of measure: Measure, queueID: Int32) -> SampleWindows? {
        counts.withLock { $0.queues.windows(of: measure, queueID: queueID) }
    }
}
