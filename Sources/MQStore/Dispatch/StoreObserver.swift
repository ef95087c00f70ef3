package import MQProtocol

/// What the store tells its owner. Every function is called on a thread of the store and must return quickly.
package struct StoreObserver: Sendable {
    /// The log is durable up to this offset.
    package var flushed: @Sendable (LogOffset) -> Void
    /// A flush failed; nobody who waits for it may be told that a message is stored.
    package var flushFailed: @Sendable (StoreError) -> Void
    /// The records of one dispatch round, readable through `select` by now. Not called for what recovery dispatches.
    package var dispatched: @Sendable ([Arrival]) -> Void
    /// Asked before segments below the offset are deleted: whoever still needs a record below it copies it to the end
    /// of the log first. Returns how far deletion may go now; less than the argument postpones the rest to a later run.
    package var willDelete: @Sendable (_ upTo: LogOffset) -> LogOffset

    package init(
        flushed: @escaping @Sendable (LogOffset) -> Void = { _ in },
        flushFailed: @escaping @Sendable (StoreError) -> Void = { _ in },
        dispatched: @escaping @Sendable ([Arrival]) -> Void = { _ in },
        willDelete: @escaping @Sendable (_ upTo: LogOffset) -> LogOffset = { $0 }
    ) {
        self.flushed = flushed
        self.flushFailed = flushFailed
        self.dispatched = dispatched
        self.willDelete = willDelete
    }
}
