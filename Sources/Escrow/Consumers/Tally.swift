import Synchronization

/// Gathers the results of a batch and tells them once, when the last is in.
final class Tally: Sendable {
    private let state: Mutex<(results: [Delivery.Result], missing: Int)>
    private let completion: @Sendable ([Delivery.Result]) -> Void

    /// - Parameter count: at least one.
    init(_ count: Int, completion: @escaping @Sendable ([Delivery.Result]) -> Void) {
        state = Mutex((Array(repeating: .held, count: count), count))
        self.completion = completion
    }

    func set(_ result: Delivery.Result, at index: Int) {
        let all = state.withLock { state -> [Delivery.Result]? in
            state.results[index] = result
            state.missing -= 1
            return state.missing == 0 ? state.results : nil
        }
        if let all { completion(all) }
    }
}
