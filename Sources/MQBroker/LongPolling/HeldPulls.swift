package import MQProtocol
package import MQRemoting
package import MQStore
import Synchronization

/// A pull that waits for a message: what is needed to look again and to answer.
package struct HeldPull: Sendable {
    package var connection: ConnectionHandle
    package var request: ReplyTo
    package var queue: QueueRef
    package var query: PullQuery
}

/// What a pull asks of the store.
package struct PullQuery: Sendable {
    package var group: String
    package var offset: QueueOffset
    package var maximumCount: Int
    package var filter: TagFilter
}

/// The table of held pulls, shared by all event loops and the dispatcher.
package final class HeldPulls: Sendable {
    private let table = Mutex(LongPollTable<HeldPull>())

    package init() {}

    package var count: Int { table.withLock { $0.count } }

    package func hold(_ pull: HeldPull, until deadline: Timestamp) {
        table.withLock { table in
            table.park(
                .init(pull: pull, offset: pull.query.offset, filter: pull.query.filter, deadline: deadline),
                onQueue: pull.queue.index
            )
        }
    }

    /// The pulls that the arrivals of one dispatch round are for. On the store's dispatcher thread.
    package func arrived(_ arrivals: [Arrival]) -> [HeldPull] {
        table.withLock { table in
            var woken: [HeldPull] = []
            for arrival in arrivals {
                if table.isEmpty { break }
                table.arrived(
                    onQueue: arrival.queue.index, offset: arrival.queueOffset, tagsCode: arrival.tagsCode, into: &woken
                )
            }
            return woken
        }
    }

    package func wakeAll(on queue: QueueRef) -> [HeldPull] {
        table.withLock { $0.wakeAll(onQueue: queue.index) }
    }

    package func expire(now: Timestamp) -> [HeldPull] {
        table.withLock { $0.expire(now: now) }
    }

    /// Forgets the pulls of a connection that closed.
    package func drop(_ connection: ConnectionHandle) {
        _ = table.withLock { table in
            table.isEmpty ? [] : table.take { $0.pull.connection == connection }
        }
    }
}
