import Synchronization

/// The lines a process has written so far to one of its streams, and those who wait for one of them.
package final class OutputLog: Sendable {
    private struct State {
        var lines: [String] = []
        var isFinished = false
        var waiters: [Waiter] = []
    }

    private struct Waiter {
        let matches: @Sendable (String) -> Bool
        let continuation: CheckedContinuation<String?, Never>
    }

    private let state = Mutex(State())

    package init() {}

    package func append(_ line: String) {
        let woken = state.withLock { state in
            state.lines.append(line)
            let woken = state.waiters.filter { $0.matches(line) }
            state.waiters.removeAll { $0.matches(line) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: line) }
    }

    /// No line will follow.
    package func finish() {
        let woken = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in woken { waiter.continuation.resume(returning: nil) }
    }

    /// The first line that matches, from the beginning; nil when the stream ended without one.
    package func first(where matches: @escaping @Sendable (String) -> Bool) async -> String? {
        await withCheckedContinuation { continuation in
            let answer: String?? = state.withLock { state in
                if let line = state.lines.first(where: matches) { return .some(line) }
                if state.isFinished { return .some(nil) }
                state.waiters.append(Waiter(matches: matches, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Returns when the process has closed the stream, which it does at the latest when it ends.
    package func finished() async {
        _ = await first { _ in false }
    }

    package var lines: [String] { state.withLock { $0.lines } }

    package var isFinished: Bool { state.withLock { $0.isFinished } }

    /// The last lines, for an error message.
    package func tail(_ count: Int = 5) -> String { lines.suffix(count).joined(separator: " | ") }
}
