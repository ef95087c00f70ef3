import Synchronization

/// What is waited for. It sees every element once, in order.
protocol Condition<Element>: Sendable {
    associatedtype Element

    /// - Returns: true when nothing more is needed.
    mutating func take(_ element: Element) -> Bool
}

/// So many elements of a kind.
struct Occurrences<Element>: Condition {
    var left: Int
    let matches: @Sendable (Element) -> Bool

    mutating func take(_ element: Element) -> Bool {
        if matches(element) { left -= 1 }
        return left <= 0
    }
}

/// Everything a process has said, and those who wait for something in it.
final class EventLog<Element: Sendable>: Sendable {
    private struct Waiter {
        var condition: any Condition<Element>
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    var elements: [Element] {
        state.withLock { $0.elements }
    }

    func append(_ element: Element) {
        let woken = state.withLock { state in
            state.elements.append(element)
            var woken: [Waiter] = []
            var waiting: [Waiter] = []
            for var waiter in state.waiters {
                if waiter.condition.take(element) { woken.append(waiter) } else { waiting.append(waiter) }
            }
            state.waiters = waiting
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    func finish() {
        let woken = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in woken { waiter.continuation.resume(returning: false) }
    }

    /// Waits until a condition is met by what was said so far and what comes.
    ///
    /// - Returns: false when the process ended before that.
    func wait(for condition: some Condition<Element>) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                var condition = condition
                for element in state.elements where condition.take(element) { return true }
                if state.isFinished { return false }
                state.waiters.append(Waiter(condition: condition, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Waits until nothing more can come.
    func waitForEnd() async {
        _ = await wait(for: Occurrences(left: .max) { _ in false })
    }
}
