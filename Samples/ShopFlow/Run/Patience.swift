import MQClient
import MQProtocol

/// Asks brokers again while they are away: one of them may be starting.
enum Patience {
    private static let pause = Duration.milliseconds(200)
    private static let attempts = 300

    static func ask<Value>(_ time: TimeSource, _ question: () async throws -> Value) async throws -> Value {
        for _ in 1..<attempts {
            do {
                return try await question()
            } catch let error as MQClientError where error.isRetriable {
                try await time.sleep(for: pause)
            }
        }
        return try await question()
    }
}
