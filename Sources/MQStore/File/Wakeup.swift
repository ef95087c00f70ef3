import Synchronization

/// Wakes one waiting thread. A signal that comes before the wait is kept; several before it count as one.
package final class Wakeup: Sendable {
    private enum State {
        static let idle = 0
        static let signalled = 1
        static let waiting = 2
    }

    private let state = Atomic<Int>(State.idle)
    private let condition = Condition()

    package init() {}

    /// One atomic exchange unless the thread really waits.
    package func signal() {
        guard state.exchange(State.signalled, ordering: .acquiringAndReleasing) == State.waiting else { return }
        condition.withLock { condition.broadcast() }
    }

    package func wait() { _ = wait(deadline: nil) }

    /// - Returns: false when the time passed without a signal.
    @discardableResult
    package func wait(timeout: Duration) -> Bool { wait(deadline: ContinuousClock.now.advanced(by: timeout)) }

    private func wait(deadline: ContinuousClock.Instant?) -> Bool {
        condition.withLock {
            _ = state.compareExchange(
                expected: State.idle,
                desired: State.waiting,
                ordering: .acquiringAndReleasing
            )
            while state.load(ordering: .acquiring) != State.signalled {
                if let deadline {
                    if ContinuousClock.now >= deadline { break }
                    condition.wait(until: deadline)
                } else {
                    condition.wait()
                }
            }
            return state.exchange(State.idle, ordering: .acquiringAndReleasing) == State.signalled
        }
    }
}

/// A door that one thread closes and opens again; others wait until it is open.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(true)
    private let condition = Condition()

    func close() { isOpen.store(false, ordering: .releasing) }

    func open() {
        condition.withLock {
            isOpen.store(true, ordering: .releasing)
            condition.broadcast()
        }
    }

    func waitUntilOpen() {
        if isOpen.load(ordering: .acquiring) { return }
        condition.withLock {
            while !isOpen.load(ordering: .acquiring) { condition.wait() }
        }
    }
}
