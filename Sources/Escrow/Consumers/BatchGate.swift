import Synchronization

/// Which messages of a batch may still run: those behind the first failure of one with an ordering key have to wait.
///
/// The messages run in the order of the batch, and all of them once more when their SQLite transaction was lost with
/// everything that had happened in it: who closed the gate opens it when its turn comes again.
final class BatchGate: Sendable {
    /// The place in the batch of the message that closed it.
    private let closer = Atomic<Int>(.max)

    /// Whether the message at `place` runs now.
    func admits(_ place: Int) -> Bool {
        let closer = closer.load(ordering: .acquiring)
        if place == closer { self.closer.store(.max, ordering: .releasing) }
        return place <= closer
    }

    func close(behind place: Int, _ delivery: Delivery) {
        guard delivery.letter.orderingKey != nil else { return }
        closer.min(place, ordering: .acquiringAndReleasing)
    }
}
