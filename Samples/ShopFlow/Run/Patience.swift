import MQClient
import MQProtocol

/// Asks brokers again while they are away: one of them may be starting.
struct Patience: Sendable {
    let time: TimeSource
    /// Told when an answer has been waited for as long as ``Stall/length``.
    var onWait: @Sendable () -> Void = {}
    /// Told when the answer is there after such a wait.
    var onAnswer: @Sendable () -> Void = {}

    private static let pause = Duration.milliseconds(200)
    private static let attempts = 300

    func ask<Value>(_ question: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                guard (try? await time.sleep(for: Stall.length)) != nil else { return false }
                onWait()
                return true
            }
            let answer = try await insist(question)
            tasks.cancelAll()
            if try await tasks.next() ?? false { onAnswer() }
            return answer
        }
    }

    private static func canPass(_ error: any Error) -> Bool {
        if let error = error as? MQClientError { return error.isRetriable }
        return (error as? FlowError)?.code == .brokerUnreachable
    }

    private func insist<Value>(_ question: () async throws -> Value) async throws -> Value {
        for _ in 1..<Self.attempts {
            do {
                return try await question()
            } catch let error where Self.canPass(error) {
                try await time.sleep(for: Self.pause)
            }
        }
        return try await question()
    }
}
