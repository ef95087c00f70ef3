import Synchronization

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
