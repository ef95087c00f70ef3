import Synchronization

/// One event loop's wish to hear of the next flush, so that a flush wakes only loops where somebody waits.
///
/// Both sides exchange, which orders the flag against the flushed offset: the loop asks and then reads the offset, the
/// flusher moves the offset and then takes the flag, so one of them sees the other.
final class FlushSignal: Sendable {
    private let isAsked = Atomic<Bool>(false)

    /// On the loop, before it reads the flushed offset.
    func ask() {
        _ = isAsked.exchange(true, ordering: .sequentiallyConsistent)
    }

    /// On the flusher's thread, after the flushed offset moved: whether the loop asked since the last time.
    func take() -> Bool {
        isAsked.exchange(false, ordering: .sequentiallyConsistent)
    }
}
