import MQProtocol

/// A queue as the lock table names it: queue ids count per topic.
struct LockedQueue: Hashable, Sendable {
    var topic: String
    var queueID: Int32
}

/// Which client of which group may consume which queue in order.
///
/// Pure: the time is an argument. A lock lives for ``lifetime`` after it was last asked for; a restart forgets all.
struct QueueLocks: Sendable {
    private struct Lock {
        var clientID: String
        var refreshed: Timestamp
    }

    private let lifetime: Duration
    private var groups: [String: [LockedQueue: Lock]] = [:]

    /// The most locks kept for one group; more are not granted. A client that asks for queues that do not exist must
    /// not fill the memory.
    private static let maximumLocksPerGroup = 65_536

    init(lifetime: Duration) {
        self.lifetime = lifetime
    }

    /// Locks what can be locked, and refreshes what the client holds already.
    ///
    /// - Returns: the queues that are the client's now, in the order asked for.
    mutating func lock(
        _ queues: [LockedQueue], group: String, clientID: String, now: Timestamp
    ) -> [LockedQueue] {
        var locks = groups.removeValue(forKey: group) ?? [:]
        defer { if !locks.isEmpty { groups[group] = locks } }
        return queues.filter { queue in
            let holder = locks[queue]
            let isFree = holder.map { $0.clientID == clientID || isExpired($0, now) } ?? true
            guard isFree, holder != nil || locks.count < Self.maximumLocksPerGroup else { return false }
            locks[queue] = Lock(clientID: clientID, refreshed: now)
            return true
        }
    }

    /// Gives up those of the queues that the client holds.
    mutating func unlock(_ queues: [LockedQueue], group: String, clientID: String) {
        guard var locks = groups.removeValue(forKey: group) else { return }
        for queue in queues where locks[queue]?.clientID == clientID {
            locks[queue] = nil
        }
        if !locks.isEmpty { groups[group] = locks }
    }

    /// Gives up everything the client holds in the group.
    mutating func release(group: String, clientID: String) {
        guard let locks = groups[group] else { return }
        let kept = locks.filter { $0.value.clientID != clientID }
        groups[group] = kept.isEmpty ? nil : kept
    }

    /// Forgets locks that anyone could take over.
    mutating func expire(now: Timestamp) {
        groups = groups.compactMapValues { locks in
            let kept = locks.filter { !isExpired($0.value, now) }
            return kept.isEmpty ? nil : kept
        }
    }

    var count: Int { groups.values.reduce(0) { $0 + $1.count } }

    private func isExpired(_ lock: Lock, _ now: Timestamp) -> Bool {
        lock.refreshed.duration(to: now) > lifetime
    }
}
