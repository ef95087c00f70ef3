import Escrow
import Foundation
import Synchronization

/// Blocks a thread until it is opened.
final class OneShot: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}

/// Keeps a transaction open, with everything written and nothing committed, until a broker has asked for its verdict.
final class OpenTransaction: Sendable {
    private let gate = OneShot()
    private let mustHold = Mutex(false)
    private let held: AsyncStream<Void>
    private let hold: AsyncStream<Void>.Continuation

    init() {
        (held, hold) = AsyncStream.makeStream()
    }

    /// Called by a body: the commit of its group waits.
    func holdCommit() {
        mustHold.withLock { $0 = true }
    }

    /// Returns when the transaction is held.
    func isHeld() async {
        for await _ in held { return }
    }

    var steps: StepObserver {
        StepObserver { [self] step in
            switch step {
            case .beforeCommit:
                let isDue = mustHold.withLock { mustHold in
                    defer { mustHold = false }
                    return mustHold
                }
                guard isDue else { return }
                hold.yield()
                gate.wait()
            case .checkBackArrived: gate.open()
            default: break
            }
        }
    }
}
