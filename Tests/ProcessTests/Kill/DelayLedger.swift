import MQProtocol
import Synchronization

/// What a producer asked to be delivered later, and what came.
final class DelayLedger: Sendable {
    /// Before a delayed message was handed to the broker, and how long it was to wait.
    private struct Order: Sendable {
        var begun: Timestamp
        var delay: Duration
        var isAcknowledged = false
    }

    private struct State: Sendable {
        var orders: [Int64: Order] = [:]
        var arrivals: [Int64: Int] = [:]
        var findings: [String] = []
    }

    private let state = Mutex(State())

    /// A message that is delayed by one of the levels, which are seconds, or by milliseconds.
    func begin(_ number: Int64, to queue: QueueName, level: Int, isLevel: Bool) -> OutgoingMessage {
        let milliseconds = level * (isLevel ? 1000 : 817)
        state.withLock { state in
            state.orders[number] = Order(begun: TimeSource.system.now(), delay: .milliseconds(milliseconds))
        }
        var message = Payload.message(number, to: queue)
        let name = isLevel ? PropertyName.delayLevel : PropertyName.timerDelayMilliseconds
        message.properties[name] = "\(isLevel ? level : milliseconds)"
        return message
    }

    /// - Returns: how many are acknowledged now.
    func acknowledge(_ number: Int64) -> Int {
        state.withLock { state in
            state.orders[number]?.isAcknowledged = true
            return state.orders.values.count(where: \.isAcknowledged)
        }
    }

    func arrived(_ message: StoredMessage) {
        let now = TimeSource.system.now()
        state.withLock { state in
            guard let number = Payload.number(in: message.body), let order = state.orders[number] else {
                state.findings.append("a message that was never sent, at \(message.queueOffset)")
                return
            }
            state.arrivals[number, default: 0] += 1
            if message.body != Payload.body(number) { state.findings.append("message \(number) is altered") }
            let due = order.begun.advanced(by: order.delay)
            if now < due || message.storeTimestamp < due {
                state.findings.append("message \(number) came \(now.duration(to: due)) early")
            }
        }
    }

    /// Readers begin anew.
    func forgetArrivals() {
        state.withLock { $0.arrivals = [:] }
    }

    var arrived: Int { state.withLock { $0.arrivals.count } }

    /// Acknowledged, and not arrived.
    var missing: Int {
        state.withLock { state in
            state.orders.count { $0.value.isAcknowledged && state.arrivals[$0.key] == nil }
        }
    }

    /// What came altered, early or unasked.
    var findings: [String] { state.withLock { $0.findings } }
    /// How often each message arrived.
    var counts: [Int] { state.withLock { Array($0.arrivals.values) } }
}
