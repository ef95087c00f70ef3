import MQProtocol

/// What a file is to say of the log, once the log is flushed as far as that rests on.
///
/// Pure. Under load something is always unflushed. So one value waits for its own part of the log, and is not replaced
/// by a newer one meanwhile: that one would have to wait anew, each time.
struct DurableNote<Value: Sendable>: Sendable {
    private var waiting: (value: Value, end: LogOffset)?

    var isWaiting: Bool { waiting != nil }

    /// - Parameters:
    ///   - value: as it is now.
    ///   - end: the end of what it rests on.
    /// - Returns: what may be written now: this value or, while one waits, that one. Then this value is not kept.
    mutating func take(_ value: Value, restingOn end: LogOffset, flushed: LogOffset) -> Value? {
        if flushed >= end {
            waiting = nil
            return value
        }
        guard let earlier = waiting else {
            waiting = (value, end)
            return nil
        }
        guard flushed >= earlier.end else { return nil }
        waiting = nil
        return earlier.value
    }
}
