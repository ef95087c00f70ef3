import MQProtocol
import MQStore
import Synchronization

/// What the store reports, passed on once there is a broker to pass it to.
///
/// The store is opened before the broker exists; until then nothing is appended, so nothing that matters is missed.
final class StoreEvents: Sendable {
    private let broker = Mutex<Broker?>(nil)

    func connect(_ broker: Broker?) {
        self.broker.withLock { $0 = broker }
    }

    private var connected: Broker? { broker.withLock { $0 } }

    var observer: StoreObserver {
        StoreObserver(
            flushed: { self.connected?.flushed(upTo: $0) },
            flushFailed: { self.connected?.flushFailed($0) },
            dispatched: { self.connected?.dispatched($0) },
            willDelete: { self.connected?.willDelete(upTo: $0) ?? .zero },
            retains: { self.connected?.retains(upTo: $0) ?? .zero },
            deleted: { self.connected?.unconsumed.noteDeletion($0) }
        )
    }
}
