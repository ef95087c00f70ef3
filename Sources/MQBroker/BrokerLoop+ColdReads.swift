import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix

/// Work of a request that may wait for the disk: done on the broker's read threads, continued on this loop.
extension BrokerLoop {
    /// Runs `read` on a thread that may wait, and `body` on this loop in a later turn: with its result, or with nil
    /// when the broker is being closed. For a request of that connection, which counts as in flight meanwhile.
    func offLoop<Value: Sendable>(
        for request: ReplyTo, on connection: Connection, _ read: @escaping @Sendable () -> Value,
        body: @escaping (Value?) -> Void
    ) {
        let bound = NIOLoopBound((loop: self, connection: connection, body: body), eventLoop: eventLoop)
        let eventLoop = eventLoop
        if request.isOneWay { connection.beginOneWay() }
        broker.readThreads.submit { state in
            let value = state == .active ? read() : nil
            eventLoop.execute {
                bound.value.body(value)
                if request.isOneWay { bound.value.connection.endOneWay() }
                bound.value.loop.turn.requestEnd()
            }
        }
    }

    /// Hands over the record that begins at the offset, nil when none does: at once when it lies near the end of the
    /// log, else in a later turn.
    func withRecord(
        at offset: LogOffset, for request: ReplyTo, on connection: Connection, _ body: @escaping (StoredRecord?) -> Void
    ) {
        let store = broker.store
        guard store.isCold(at: offset) else { return body(nearRecord(at: offset)) }
        offLoop(for: request, on: connection) {
            store.record(at: offset).flatMap(StoredRecord.init)
        } body: {
            body($0 ?? nil)
        }
    }

    /// The same at once, whether it is near or not. Its memory serves the next one too, unless it is much.
    func nearRecord(at offset: LogOffset) -> StoredRecord? {
        // Out of the object meanwhile, which would be watched over at every look at it.
        var record = ByteBuffer()
        swap(&record, &self.record)
        if record.capacity > 1 << 16 { record = ByteBuffer() } else { record.clear() }
        let view = broker.store.readRecord(at: offset, into: &record)
        self.record = record
        return view.map { StoredRecord(record, $0) }
    }
}
