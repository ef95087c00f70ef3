import Synchronization

/// A history that many senders write, and the moment at which enough was acknowledged.
final class Journal: Sendable {
    private struct State {
        var history = DeliveryHistory()
        var lastNumber: Int64 = 0
        var refusals: [String] = []
        var goal = Int.max
        var isReached = false
    }

    private let state = Mutex(State())

    /// Numbers are given in rising order and never twice.
    func begin(_ count: Int, to queue: QueueName, by sender: Int) -> [Int64] {
        state.withLock { state in
            (0..<count).map { _ in
                state.lastNumber += 1
                state.history.send(state.lastNumber, to: queue, by: sender)
                return state.lastNumber
            }
        }
    }

    /// - Returns: true once for each goal: when it is reached.
    func acknowledge(_ numbers: [Int64], from first: Place) -> Bool {
        state.withLock { state in
            for (index, number) in numbers.enumerated() {
                let place = Place(queue: first.queue, offset: first.offset + Int64(index))
                state.history.acknowledge(number, at: place)
            }
            guard !state.isReached, state.history.acknowledged.count >= state.goal else { return false }
            state.isReached = true
            return true
        }
    }

    func refuse(_ answer: SendAnswer) {
        state.withLock { $0.refusals.append("\(answer.code): \(answer.remark ?? "no remark")") }
    }

    /// Another `count` acknowledgements are wanted.
    func setGoal(_ count: Int) {
        state.withLock { state in
            state.goal = state.history.acknowledged.count + count
            state.isReached = false
        }
    }

    var isGoalReached: Bool { state.withLock { $0.isReached } }
    var history: DeliveryHistory { state.withLock { $0.history } }
    /// Answers that were neither a success nor a flush that took too long.
    var refusals: [String] { state.withLock { $0.refusals } }
}
