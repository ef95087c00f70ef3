import NIOCore

/// The attempts to send one message: how many, and until when. Pure.
struct SendAttempts {
    let limit: Int
    let deadline: NIODeadline
    private var brokers: [String] = []
    private var failure: MQClientError?

    init(limit: Int, deadline: NIODeadline) {
        self.limit = max(1, limit)
        self.deadline = deadline
    }

    /// The broker that failed last; another one is tried next.
    var avoided: String? { brokers.last }

    /// - Returns: true when another attempt makes sense.
    mutating func failed(_ error: MQClientError, at broker: String, now: NIODeadline) -> Bool {
        brokers.append(broker)
        failure = error
        return error.isRetriable && brokers.count < limit && now < deadline
    }

    /// The last attempt's error, with what was tried.
    var error: MQClientError {
        guard var failure else { return MQClientError(.topicUnavailable, "No queue was tried.") }
        guard brokers.count > 1 else { return failure }
        failure.message =
            "Not sent in \(brokers.count) attempts (brokers \(brokers.joined(separator: ", "))): \(failure.message)"
        return failure
    }
}
