import MQProtocol

/// What is durable, and what to do next to make more of it durable.
///
/// One flush answers everyone who waits: whoever appended before it started is covered by it. A failed flush is sticky.
/// The system forgets which pages it could not write and reports success next time, so after a failure nothing that was
/// unflushed may be acknowledged before it was written to the file again and flushed again.
struct GroupCommit {
    enum Step: Equatable {
        case nothing
        /// Flush the files that hold this range.
        case flush(Range<LogOffset>)
        /// Check the range record by record, write it again, then flush it.
        case rewrite(Range<LogOffset>)
    }

    /// Everything below is durable.
    private(set) var done: LogOffset
    private(set) var hasFailed = false

    init(done: LogOffset) { self.done = done }

    func next(appended: LogOffset) -> Step {
        if hasFailed { return .rewrite(done..<max(done, appended)) }
        return appended > done ? .flush(done..<appended) : .nothing
    }

    /// A part of the range, from its start, is durable.
    mutating func flushed(upTo offset: LogOffset) {
        precondition(!hasFailed, "a flush after a failure proves nothing")
        done = max(done, offset)
    }

    mutating func failed() { hasFailed = true }

    /// The whole range was written again and flushed.
    mutating func rewritten(upTo offset: LogOffset) {
        hasFailed = false
        done = max(done, offset)
    }
}
