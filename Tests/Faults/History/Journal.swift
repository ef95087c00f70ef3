import MQProtocol
import Synchronization

/// A history that many senders write, and the moment at which enough was acknowledged.
final class Journal: Sendable {
    private struct State {
        var history = History()
        var deliveries = Dictionary(
            uniqueKeysWithValues: ConsumerGroup.allCases.map { ($0, Deliveries(isOrdered: $0 == .ordered)) })
        var acknowledged = 0
        var lastAcknowledgement: Int64 = 0
        var goal = Int.max
        var waiter: CheckedContinuation<Void, Never>?
        var isOver = false
        var refusals: [String: Int] = [:]
        var checkBacks = CheckBacks()
        var clockShift = Duration.zero
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now

    var history: History { state.withLock { $0.history } }
    /// Acknowledgements so far.
    var acknowledged: Int { state.withLock { $0.acknowledged } }
    /// When the last one came.
    var lastAcknowledgement: Int64 { state.withLock { $0.lastAcknowledgement } }
    /// Everyone is to stop sending.
    var isOver: Bool { state.withLock { $0.isOver } }
    /// Errors that senders met, and how often.
    var refusals: [String: Int] { state.withLock { $0.refusals } }
    /// Milliseconds since the journal was begun.
    var now: Int64 { start.duration(to: .now).wholeMilliseconds }

    /// Of the broker's clock against this process's; while that is being set, the lesser one.
    var clockShift: Duration { state.withLock { $0.clockShift } }

    func noteClock(_ shift: Duration) { state.withLock { $0.clockShift = shift } }

    func begin(_ kind: History.Kind, count: Int = 1, topic: String, queueID: Int32?, sender: Int) -> [Int64] {
        state.withLock { state in
            (0..<count).map { _ in state.history.begin(kind, topic: topic, queueID: queueID, sender: sender) }
        }
    }

    func acknowledge(_ numbers: [Int64], from first: Place?) {
        let time = now
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            for (index, number) in numbers.enumerated() {
                let place = first.map { Place(queue: $0.queue, offset: $0.offset + Int64(index)) }
                state.history.acknowledge(number, at: time, place: place)
            }
            state.acknowledged += numbers.count
            state.lastAcknowledgement = time
            guard state.acknowledged >= state.goal else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// What a transaction comes to: whoever asks first decides.
    func decide(_ number: Int64, _ verdict: History.Verdict) -> History.Verdict {
        state.withLock { state in
            guard let entry = state.history.entry(number) else { return .undecided }
            if entry.verdict != .undecided { return entry.verdict }
            state.history.decide(number, verdict)
            return verdict
        }
    }

    /// The broker says that it has the verdict on a transaction.
    func noteAccepted(_ number: Int64) {
        let time = now
        state.withLock { $0.checkBacks.accept(number, at: time) }
    }

    /// The broker asks about a transaction, which is rolled back if nobody has decided it.
    func answerCheck(_ number: Int64) -> History.Verdict {
        let time = now
        state.withLock { $0.checkBacks.ask(number, at: time) }
        return decide(number, .rollback)
    }

    /// The broker's files are not what they were.
    func forgetAccepted() { state.withLock { $0.checkBacks.forget() } }

    /// - Parameter lossWindows: when what was accepted may be lost.
    func takeCheckViolations(excusing lossWindows: [ClosedRange<Int64>]) -> [Violation] {
        state.withLock { $0.checkBacks.takeViolations(excusing: lossWindows) }
    }

    func consume(_ queue: QueueName, below offset: Int64) {
        state.withLock { $0.history.consume(queue, below: offset) }
    }

    // MARK: Groups

    var deliveries: [ConsumerGroup: Deliveries] { state.withLock { $0.deliveries } }

    /// - Returns: how the handler's call is to end; nil when nobody sent such a message.
    func deliver(
        _ number: Int64, to group: ConsumerGroup, at place: Place?, attempt: Int32
    ) -> Deliveries.Result? {
        let time = now
        return state.withLock { state in
            guard let entry = state.history.entry(number) else { return nil }
            return state.deliveries[group]?.begin(
                number, sender: entry.sender, at: place, attempt: attempt, time: time)
        }
    }

    func settle(_ number: Int64, _ result: Deliveries.Result, identity: String, in group: ConsumerGroup) {
        state.withLock { $0.deliveries[group]?.end(number, result, identity: identity) }
    }

    /// The fault begins: the broker may refuse, or go.
    func beginDisturbance() { setDisturbed(until: .max) }

    /// The broker serves, and nothing is wrong with it.
    func endDisturbance() { setDisturbed(until: now) }

    private func setDisturbed(until time: Int64) {
        state.withLock { state in
            for group in ConsumerGroup.allCases { state.deliveries[group]?.disturbedUntil = time }
            state.checkBacks.isDisturbed = time == .max
        }
    }

    func noteForeign(_ text: String, to group: ConsumerGroup) {
        state.withLock { $0.deliveries[group]?.noteForeign(text) }
    }

    func takeDeliveryViolations() -> [Violation] {
        state.withLock { state in
            ConsumerGroup.allCases.flatMap { state.deliveries[$0]?.takeViolations() ?? [] }
        }
    }

    // MARK: Offsets

    func confirm(_ queue: QueueName, _ offset: Int64) {
        let time = now
        state.withLock { $0.history.confirm(queue, offset, at: time) }
    }

    func refused(_ cause: String) {
        state.withLock { $0.refusals[cause, default: 0] += 1 }
    }

    func update(_ body: (inout History) -> Void) {
        state.withLock { body(&$0.history) }
    }

    /// Senders may go on, until ``end()``.
    func resume() {
        state.withLock { state in
            state.isOver = false
            state.refusals = [:]
        }
    }

    func end() {
        let waiter = state.withLock { state in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when another `count` messages were acknowledged, or sending is over.
    func reach(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.isOver { return true }
                state.goal = state.acknowledged + count
                state.waiter = continuation
                return false
            }
            if isReached { continuation.resume() }
        }
    }
}
