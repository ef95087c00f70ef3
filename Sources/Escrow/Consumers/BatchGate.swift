import Synchronization

/// Whether the rest of a batch may still run: closed by the first failure of a message that has an ordering key,
/// because what comes after it in the queue has to wait.
final class BatchGate: Sendable {
    private let closed = Atomic<Bool>(false)

    var isClosed: Bool { closed.load(ordering: .acquiring) }

    func close(after delivery: Delivery) {
        if delivery.letter.orderingKey != nil { closed.store(true, ordering: .releasing) }
    }
}

/// Carries the result of a delivery from the writer's thread to the piece's completion.
final class ResultBox: Sendable {
    private let result = Mutex<Delivery.Result?>(nil)

    func set(_ new: Delivery.Result) {
        result.withLock { $0 = new }
    }

    func get() -> Delivery.Result? {
        result.withLock { $0 }
    }
}
