/// What a handler says of an event. A handler that throws has failed: its writes are undone and it is tried again, as
/// the consumer's ``RetryPolicy`` says.
public enum Outcome: Sendable, Hashable {
    /// Handled.
    case done
    /// Handled, after the time it was meant for. Recorded as such.
    case late
    /// Nothing to do, for this reason. Recorded as such.
    case ignored(String)
    /// Not now: the handler's writes are undone and it is tried again after this time. Counts as an attempt.
    case retry(after: Duration)
    /// Never: the handler's writes are undone and the event becomes a dead letter for this reason.
    case deadLetter(String)
}
