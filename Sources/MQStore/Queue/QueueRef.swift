/// One queue of one topic: what callers hold instead of looking the queue up by name for every message.
///
/// Obtained once from `MessageStore.queue(_:_:)` and cached by the caller for as long as it likes: a queue that is
/// deleted and written again keeps its reference.
package final class QueueRef: Sendable, Hashable {
    package let topic: String
    package let queueID: Int32
    /// Dense number of the queue in this store, from 0, in order of creation: the slot of its append counter.
    package let index: Int
    /// Whether ``topic`` is a name that a record may have.
    let hasTopicName: Bool

    package init(topic: String, queueID: Int32, index: Int) {
        self.topic = topic
        self.queueID = queueID
        self.index = index
        hasTopicName = RecordRules.isTopic(topic.utf8.span)
    }

    package static func == (left: QueueRef, right: QueueRef) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
