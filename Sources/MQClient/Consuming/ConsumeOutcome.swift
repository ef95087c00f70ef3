/// What became of one message that a handler was given.
public enum ConsumeOutcome: Sendable, Hashable {
    /// Done: it is not delivered to the group again.
    case consumed
    /// The broker delivers it again later, in the group's retry topic; messages behind it go on. Until it has failed
    /// ``ConsumerConfiguration/maximumReconsumeTimes`` times, then it is a dead letter. When broadcasting it is logged
    /// and dropped.
    ///
    /// - Parameter level: a delay level of the broker, from 1. Default: 0, the broker takes 3 (10 s unless configured
    ///   otherwise) and one more for each attempt.
    case retryLater(level: Int32 = 0)
    /// Given up: moved to the group's dead letters. When broadcasting it is logged and dropped.
    case deadLetter
    /// In orderly mode this message and all behind it wait so long (10 ms to 30 s) and are then offered again, this one
    /// with one more in `reconsumeTimes`. In concurrent mode the same as `.retryLater()`.
    case suspend(Duration)
}
