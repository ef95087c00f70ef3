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

    /// Waits until the clock shows `deadline`, but not longer than it was away: when the clock is set back by an hour
    /// meanwhile, what is to happen each half minute must not rest for that hour. So whoever waits for a time of day
    /// looks at the clock afterwards, and waits again. When the clock is set forward, the wait ends within a second.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before that.
    public func sleep(until deadline: Timestamp) async throws {
        switch source {
        case .manual(let clock):
            try await clock.sleep(until: deadline)
        case .system:
            try Task.checkCancellation()
            let nap = Nap(until: deadline, from: now())
            let begin = ContinuousClock.now
            while let step = nap.step(now: now(), elapsed: begin.duration(to: .now)) {
                try await Task.sleep(for: step)
            }
        }
    }
}

/// A wait for a time of the wall clock, which may be set meanwhile.
struct Nap: Sendable {
    private static let longestStep = Duration.seconds(1)
    /// A clock that is only slowed down to be right again does not end the wait early.
    private static let slack = Duration.seconds(1)

    private let deadline: Timestamp
    private let longest: Duration

    init(until deadline: Timestamp, from now: Timestamp) {
        self.deadline = deadline
        longest = now.duration(to: deadline) + Self.slack
    }

    /// How long to sleep before the next look at the clock; nil when the wait is over.
    func step(now: Timestamp, elapsed: Duration) -> Duration? {
        let left = min(now.duration(to: deadline), longest - elapsed)
        return left > .zero ? min(left, Self.longestStep) : nil
    }
}
