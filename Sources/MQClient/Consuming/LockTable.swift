import MQProtocol

/// Which queues the brokers have locked for this consumer, and until when that may be relied on.
///
/// A broker keeps a lock for 60 s after it was asked for it last; the consumer believes in it for 30 s only.
struct LockTable {
    /// Default: 30 s, as in RocketMQ's clients.
    static let validity = Duration.seconds(30)
    /// How often locks are asked for again. Default: 20 s, as in RocketMQ's clients.
    static let refreshInterval = Duration.seconds(20)

    private var asked: [MessageQueue: Timestamp] = [:]

    func isValid(_ queue: MessageQueue, now: Timestamp) -> Bool {
        guard let asked = asked[queue] else { return false }
        return asked.duration(to: now) < Self.validity
    }

    /// When the lock was asked for that is held now.
    func lastLock(of queue: MessageQueue) -> Timestamp? { asked[queue] }

    /// Queues that are locked for the first time.
    ///
    /// - Parameter time: when the request was sent, so that the lock is never believed in for longer than the broker
    ///   keeps it.
    mutating func acquire(_ queues: [MessageQueue], at time: Timestamp) {
        for queue in queues { asked[queue] = time }
    }

    /// Takes in the answer to a request to keep locks.
    ///
    /// - Returns: queues that were ours and are not any more; and queues that the broker has locked for us although
    ///   they were given up meanwhile.
    mutating func refresh(
        _ queues: [MessageQueue], granted: Set<MessageQueue>, at time: Timestamp
    ) -> (lost: [MessageQueue], stray: [MessageQueue]) {
        let stray = queues.filter { asked[$0] == nil && granted.contains($0) }
        let lost = queues.filter { asked[$0] != nil && !granted.contains($0) }
        for queue in queues where asked[queue] != nil { asked[queue] = granted.contains(queue) ? time : nil }
        return (lost, stray)
    }

    mutating func forget(_ queue: MessageQueue) {
        asked[queue] = nil
    }

    /// Locks that nobody could refresh in time. They are forgotten.
    mutating func expire(now: Timestamp) -> [MessageQueue] {
        let expired = asked.keys.filter { !isValid($0, now: now) }.sorted()
        for queue in expired { asked[queue] = nil }
        return expired
    }

    /// All of them, in order.
    var queues: [MessageQueue] { asked.keys.sorted() }
}
