package import MQProtocol

/// A record that just became readable through its queue.
package struct Arrival: Sendable {
    package let queue: QueueRef
    package let queueOffset: QueueOffset
    package let logOffset: LogOffset
    /// Length of the whole record in bytes.
    package let size: Int32
    /// Tag hash, or the delivery time in milliseconds in the topics of delayed messages.
    package let tagsCode: Int64
    package let storeTimestamp: Timestamp

    package init(
        queue: QueueRef,
        queueOffset: QueueOffset,
        logOffset: LogOffset,
        size: Int32,
        tagsCode: Int64,
        storeTimestamp: Timestamp
    ) {
        self.queue = queue
        self.queueOffset = queueOffset
        self.logOffset = logOffset
        self.size = size
        self.tagsCode = tagsCode
        self.storeTimestamp = storeTimestamp
    }
}
