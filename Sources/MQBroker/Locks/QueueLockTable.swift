package import MQProtocol
import Synchronization

/// The queue locks of orderly consumers. Not persisted.
package final class QueueLockTable: Sendable {
    private let locks: Mutex<QueueLocks>

    package init(lifetime: Duration = .seconds(60)) {
        locks = Mutex(QueueLocks(lifetime: lifetime))
    }

    func lock(_ queues: [LockedQueue], group: String, clientID: String, now: Timestamp) -> [LockedQueue] {
        locks.withLock { $0.lock(queues, group: group, clientID: clientID, now: now) }
    }

    func unlock(_ queues: [LockedQueue], group: String, clientID: String) {
        locks.withLock { $0.unlock(queues, group: group, clientID: clientID) }
    }

    /// Gives up all locks of a client that left the group or lost its connection.
    package func release(group: String, clientID: String) {
        locks.withLock { $0.release(group: group, clientID: clientID) }
    }

    package func expire(now: Timestamp) {
        locks.withLock { $0.expire(now: now) }
    }

    package var count: Int { locks.withLock { $0.count } }
}
