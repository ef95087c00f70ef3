import Synchronization

/// A wait that ends at a time or when it is rung, whichever is first.
///
/// One waiter. A ring while nobody waits is kept for the next wait, so none is missed.
package final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var sleeper: Task<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let sleeper = state.withLock { state in
            state.isRung = true
            return state.sleeper
        }
        sleeper?.cancel()
    }

    /// Returns at `time`, when rung, or when the task is cancelled.
    package func wait(until time: Timestamp, by source: TimeSource) async {
        // Rung already: no sleep is begun.
        if state.withLock({ state in
            defer { state.isRung = false }
            return state.isRung
        }) {
            return
        }
        // Unstructured on purpose: `ring` must be able to end this sleep without ending the caller.
        let sleeper = Task { _ = try? await source.sleep(until: time) }
        let isRung = state.withLock { state in
            if !state.isRung { state.sleeper = sleeper }
            return state.isRung
        }
        if isRung { sleeper.cancel() }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { state in
            state.isRung = false
            state.sleeper = nil
        }
    }
}
