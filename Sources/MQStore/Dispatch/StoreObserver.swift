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
    /// Asked before that, unless the disk is above its watermark: how far deletion may go for the sake of those who
    /// have not read everything yet.
    package var retains: @Sendable (_ upTo: LogOffset) -> LogOffset
    /// Segments left the log, also where a file cannot be deleted yet; queues still have the entries of this range
    /// while the function runs.
    package var deleted: @Sendable (_ range: Range<LogOffset>) -> Void

    package init(
        flushed: @escaping @Sendable (LogOffset) -> Void = { _ in },
        flushFailed: @escaping @Sendable (StoreError) -> Void = { _ in },
        dispatched: @escaping @Sendable ([Arrival]) -> Void = { _ in },
        willDelete: @escaping @Sendable (_ upTo: LogOffset) -> LogOffset = { $0 },
        retains: @escaping @Sendable (_ upTo: LogOffset) -> LogOffset = { $0 },
        deleted: @escaping @Sendable (_ range: Range<LogOffset>) -> Void = { _ in }
    ) {
        self.flushed = flushed
        self.flushFailed = flushFailed
        self.dispatched = dispatched
        self.willDelete = willDelete
        self.retains = retains
        self.deleted = deleted
    }
}
