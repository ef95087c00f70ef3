import MQClient
import MQProtocol
import Synchronization

/// Runs the checkers of custom transactions, which may take for ever: each has a time limit, and each kind so many
/// places, so that no other kind waits for it.
final class CheckerRuns: Sendable {
    /// Checkers of one kind that have not returned.
    static let places = 16
    /// Brokers ask again after a minute.
    static let patience = Duration.seconds(30)

    private let running = Mutex<[String: Int]>([:])

    /// - Returns: nil when too many of the kind have not returned yet, when this one takes too long, or when the task
    ///   is cancelled.
    func verdict(
        on check: CheckBack, _ kind: String, by time: TimeSource, _ checker: @escaping TransactionChecker
    ) async -> Verdict? {
        guard begin(kind) else { return nil }
        let (answers, answer) = AsyncStream.makeStream(of: Verdict?.self)
        // Unstructured on purpose: a checker that does not return would not let a task group end.
        let checking = Task {
            let verdict = await checker(check)
            end(kind)
            answer.yield(verdict)
        }
        let clock = Task {
            try? await time.sleep(for: Self.patience)
            answer.yield(Verdict?.none)
        }
        defer {
            checking.cancel()
            clock.cancel()
        }
        for await first in answers { return first }
        return nil
    }

    private func begin(_ kind: String) -> Bool {
        running.withLock { running in
            guard running[kind, default: 0] < Self.places else { return false }
            running[kind, default: 0] += 1
            return true
        }
    }

    private func end(_ kind: String) {
        running.withLock { $0[kind, default: 1] -= 1 }
    }
}
