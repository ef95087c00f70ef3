/// Where a component gets the time from, and how it waits: the system's clock, or a ``ManualClock`` that a test moves.
public struct TimeSource: Sendable {
    private enum Source {
        case system
        case manual(ManualClock)
    }

    private let source: Source

    /// The wall clock of this machine.
    public static let system = TimeSource(source: .system)

    /// A clock that stands still until it is moved.
    public static func manual(_ clock: ManualClock) -> TimeSource {
        TimeSource(source: .manual(clock))
    }

    public func now() -> Timestamp {
        switch source {
        case .system: PlatformClock.now()
        case .manual(let clock): clock.now()
        }
    }

    /// Returns at once when `duration` is not positive.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before the time has passed.
    public func sleep(for duration: Duration) async throws {
        switch source {
        case .system: try await Task.sleep(for: duration)
        case .manual(let clock): try await clock.sleep(until: clock.now().advanced(by: duration))
        }
    }

    /// Waits until the clock shows `deadline`. The system's wall clock may be set while we sleep, so the time left is
    /// read again after each sleep: never early by this clock.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before that.
    public func sleep(until deadline: Timestamp) async throws {
        switch source {
        case .manual(let clock):
            try await clock.sleep(until: deadline)
        case .system:
            try Task.checkCancellation()
            var left = now().duration(to: deadline)
            while left > .zero {
                try await Task.sleep(for: left)
                left = now().duration(to: deadline)
            }
        }
    }
}
