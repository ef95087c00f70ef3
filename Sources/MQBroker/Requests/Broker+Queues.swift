import MQProtocol
import MQStore

/// The store's queues by name, as requests of operators and clients ask for them: a queue that does not exist has
/// nothing in it, and asking does not create it.
extension Broker {
    /// The next offset; 0 for an unknown queue.
    func maximumOffset(_ topic: String, _ queueID: Int32) -> Int64 {
        store.existingQueue(topic, queueID).map { store.maximumOffset(of: $0).rawValue } ?? 0
    }

    /// The first offset still there; 0 for an unknown queue.
    func minimumOffset(_ topic: String, _ queueID: Int32) -> Int64 {
        store.existingQueue(topic, queueID).map { max(0, store.minimumOffset(of: $0).rawValue) } ?? 0
    }

    /// When the message at the offset was stored. May read from the disk.
    func storeTime(_ topic: String, _ queueID: Int32, at offset: Int64) -> Timestamp? {
        guard let queue = store.existingQueue(topic, queueID) else { return nil }
        return store.storeTimestamp(of: queue, at: QueueOffset(rawValue: offset))
    }

    /// The offset to start from for messages of that time. May read from the disk.
    func searchOffset(_ topic: String, _ queueID: Int32, at time: Timestamp) -> Int64 {
        guard let queue = store.existingQueue(topic, queueID) else { return 0 }
        return max(0, store.searchOffset(of: queue, at: time).rawValue)
    }
}
