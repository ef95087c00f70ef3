package import MQProtocol
package import MQStore
import NIOCore
import Synchronization

/// One topic of this broker: its configuration, the store's queues it was asked for, and its counters.
///
/// The object lives as long as the topic does: a topic that is deleted and created again is another object, so a
/// cached queue never outlives the queue it stands for.
package final class Topic: Sendable {
    package let name: String
    /// The bytes of ``name``.
    let nameBytes: [UInt8]
    /// The properties of a half message of this topic that say where it belongs, up to the queue's number.
    let realPlace: [UInt8]
    let isRetry: Bool
    /// Clients may not send to it (answer code 16).
    let isClosedToClients: Bool
    /// What was stored in it.
    package let statistics = TopicStatistics()
    /// The change of the table that brought it; 0 for a topic that was in the file at start.
    let change: Int

    private struct State {
        var config: TopicConfig
        /// By queue id; ids past the end of the array were not asked for yet.
        var queues: [QueueRef?] = []
    }

    private let state: Mutex<State>
    private let makeQueue: @Sendable (String, Int32) -> QueueRef

    init(_ config: TopicConfig, change: Int = 0, makeQueue: @escaping @Sendable (String, Int32) -> QueueRef) {
        name = config.topicName
        nameBytes = Array(config.topicName.utf8)
        realPlace = Self.realPlace(of: config.topicName)
        isRetry = TopicName.isRetry(config.topicName)
        isClosedToClients = Self.isClosedToClients(config.topicName)
        self.change = change
        self.state = Mutex(State(config: config))
        self.makeQueue = makeQueue
    }

    private static func realPlace(of name: String) -> [UInt8] {
        var text = ByteBuffer()
        text.appendProperty(PropertyName.realTopic, name)
        text.appendProperty(PropertyName.realQueueID, "")
        return Array(text.readableBytesView)
    }

    package var config: TopicConfig {
        state.withLock { $0.config }
    }

    static func isClosedToClients(_ name: String) -> Bool {
        SystemTopic.forbidsSending(name) || name == SystemTopic.timerWheel
    }

    /// What every send asks of ``config``.
    struct SendRules {
        var readQueues: Int32
        var writeQueues: Int32
        var isMultiTag: Bool
        /// ``Topic/queue(_:)`` of the id that was asked for; nil when it was not used yet.
        var queue: QueueRef?
    }

    /// Rules and queue of a send, with one lock.
    func sendRules(for id: Int32) -> SendRules {
        state.withLock { state in
            SendRules(
                readQueues: state.config.readQueueNums, writeQueues: state.config.writeQueueNums,
                isMultiTag: state.config.topicFilterType == .multiTag,
                queue: id >= 0 && Int(id) < state.queues.count ? state.queues[Int(id)] : nil
            )
        }
    }

    /// Whether the name servers list it as an order topic.
    package var isOrder: Bool {
        state.withLock { $0.config.order }
    }

    /// How many queues a topic may have.
    static let queueCounts: ClosedRange<Int32> = 0...65_536

    /// The possible count that is nearest.
    static func possible(_ count: Int32) -> Int32 { min(max(count, queueCounts.lowerBound), queueCounts.upperBound) }

    /// The most queue ids that are cached; no topic has more in practice, and a wire number must not size an array.
    private static let maximumCachedQueues: Int32 = 4096

    /// The store's queue of that id, created on first use.
    ///
    /// The caller checks `id` against ``config``: an id out of range creates a queue that nothing reads.
    package func queue(_ id: Int32) -> QueueRef {
        guard id >= 0, id < Self.maximumCachedQueues else { return makeQueue(name, id) }
        let index = Int(id)
        let cached = state.withLock { index < $0.queues.count ? $0.queues[index] : nil }
        if let cached { return cached }
        let queue = makeQueue(name, id)
        state.withLock { state in
            while state.queues.count <= index { state.queues.append(nil) }
            state.queues[index] = queue
        }
        return queue
    }

    func replace(_ config: TopicConfig) {
        state.withLock { $0.config = config }
    }
}
