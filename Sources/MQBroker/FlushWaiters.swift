import DequeModule
package import MQProtocol

/// Answers that are held back until their records are on disk, in log order. Pure; one per event loop.
package struct FlushWaiters<Answer> {
    package struct Waiter {
        /// The end of the answer's last record: the flush has to reach it.
        package var end: LogOffset
        package var deadline: Timestamp
        package var answer: Answer
    }

    private var waiters = Deque<Waiter>()

    package init() {}

    package var count: Int { waiters.count }
    package var isEmpty: Bool { waiters.isEmpty }

    /// - Precondition: `end` never decreases: appends of one event loop are in log order. A deadline may be before the
    ///   one in front of it, when the clock was set back: it then passes with that one.
    package mutating func add(_ answer: Answer, end: LogOffset, deadline: Timestamp) {
        precondition(waiters.last.map { $0.end <= end } ?? true, "appends of one event loop are in log order")
        waiters.append(Waiter(end: end, deadline: deadline, answer: answer))
    }

    /// The next answer whose records are durable; nil when the rest waits on.
    package mutating func popFlushed(upTo flushed: LogOffset) -> Answer? {
        guard let first = waiters.first, first.end <= flushed else { return nil }
        return waiters.removeFirst().answer
    }

    /// The next answer that has waited too long: stored, but not known to be on disk.
    package mutating func popExpired(now: Timestamp) -> Answer? {
        guard let first = waiters.first, first.deadline <= now else { return nil }
        return waiters.removeFirst().answer
    }
}
