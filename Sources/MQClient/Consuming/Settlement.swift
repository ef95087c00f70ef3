import MQProtocol

/// What a handler's answer to a batch asks for, message by message.
struct Settlement: Sendable, Hashable {
    enum Step: Sendable, Hashable {
        case acknowledge
        /// Level −1: to the dead letters.
        case sendBack(level: Int32)
        /// Logged and dropped: what broadcasting does instead of sending back.
        case discard
    }

    /// One for each message that is done with, from the first on.
    var steps: [Step] = []
    /// How long the message behind the last step, and all after it, wait before they are offered again; nil when there
    /// is none.
    var pause: Duration?

    /// The rules of one consumer.
    struct Rules: Sendable, Hashable {
        var order: ConsumeOrder
        var isBroadcasting: Bool
        /// Failed attempts after which an orderly message is a dead letter instead of being offered again.
        var maximumReconsumeTimes: Int32
        /// Of outcomes that are missing, in orderly mode.
        var suspendTime: Duration
    }

    /// - Parameters:
    ///   - attempts: failed attempts so far of each message of the batch.
    ///   - outcomes: what the handler said; missing ones count as failures.
    init(attempts: [Int32], outcomes: [ConsumeOutcome], rules: Rules) {
        steps.reserveCapacity(attempts.count)
        for (index, failures) in attempts.enumerated() {
            var outcome = rules.order == .orderly ? ConsumeOutcome.suspend(rules.suspendTime) : .retryLater()
            if index < outcomes.count { outcome = outcomes[index] }
            switch outcome {
            case .consumed:
                steps.append(.acknowledge)
            case .retryLater(let level):
                steps.append(rules.isBroadcasting ? .discard : .sendBack(level: max(0, level)))
            case .deadLetter:
                steps.append(rules.isBroadcasting ? .discard : .sendBack(level: -1))
            case .suspend where rules.order == .concurrent:
                steps.append(rules.isBroadcasting ? .discard : .sendBack(level: 0))
            case .suspend(let duration):
                guard failures >= rules.maximumReconsumeTimes else {
                    pause = min(max(duration, .milliseconds(10)), .seconds(30))
                    return
                }
                // What lies behind it was not at fault and is offered again at once.
                steps.append(rules.isBroadcasting ? .discard : .sendBack(level: -1))
                if index + 1 < attempts.count { pause = .zero }
                return
            }
        }
    }
}
