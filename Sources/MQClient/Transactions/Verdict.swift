/// What a transaction comes to, as its producer says.
public enum Verdict: String, Sendable {
    /// The message becomes visible.
    case commit
    /// The message is never seen.
    case rollback
    /// Not known now: the broker asks again later.
    case unknown
}

/// What a broker made of a verdict.
public enum VerdictAnswer: Sendable, Hashable {
    /// It is stored, now or before.
    case accepted
    /// The other verdict is final there.
    case opposite
    /// The broker has no such half message.
    case unknownHalf
    /// It was sent and may or may not have arrived: no answer came in time, or it was ``Verdict/unknown``.
    case unanswered
}
