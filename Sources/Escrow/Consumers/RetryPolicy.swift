/// When a failed delivery is tried again, and when it is given up.
///
/// ```swift
/// let policy = RetryPolicy(immediate: 2, delays: [.seconds(5), .seconds(60)])
/// print(policy)   // "2 times at once, then after 5 s, 60 s; a dead letter after 5 attempts, 65 s"
/// ```
public struct RetryPolicy: Sendable, CustomStringConvertible {
    /// Attempts made at once after the first. Default: 3.
    public var immediate: Int

    /// Pauses before the later attempts. Default: 10 s, 30 s, 2 min, 10 min, 30 min.
    public var delays: [Duration]

    /// Errors that no retry helps: the event becomes a dead letter at the first attempt. Default: none.
    public var isHopeless: @Sendable (any Error) -> Bool

    public init(
        immediate: Int = 3,
        delays: [Duration] = [.seconds(10), .seconds(30), .seconds(120), .seconds(600), .seconds(1800)],
        isHopeless: @escaping @Sendable (any Error) -> Bool = { _ in false }
    ) {
        self.immediate = immediate
        self.delays = delays
        self.isHopeless = isHopeless
    }

    /// The documented defaults.
    public static let standard = RetryPolicy()

    /// Attempts in all.
    public var attempts: Int { 1 + max(0, immediate) + delays.count }

    /// The time from the first failure to the last attempt, not counting the handlers' own.
    public var horizon: Duration { delays.reduce(.zero, +) }

    public var description: String {
        let pauses = delays.map { "\($0.components.seconds) s" }.joined(separator: ", ")
        let later = delays.isEmpty ? "" : ", then after \(pauses)"
        return "\(immediate) times at once\(later); a dead letter after \(attempts) attempts, "
            + "\(horizon.components.seconds) s"
    }

    enum Decision: Sendable, Equatable {
        case again
        case after(Duration)
        case giveUp
    }

    /// - Parameter failures: attempts that failed so far, this one included.
    func decide(failures: Int, error: any Error) -> Decision {
        if error is HopelessDelivery || isHopeless(error) { return .giveUp }
        if let wanted = error as? RetryWanted {
            return failures < attempts ? .after(wanted.delay) : .giveUp
        }
        if failures <= immediate { return .again }
        let index = failures - 1 - max(0, immediate)
        return index < delays.count ? .after(delays[index]) : .giveUp
    }
}

/// Thrown inside a piece for ``Outcome/retry(after:)``.
struct RetryWanted: Error, CustomStringConvertible {
    var delay: Duration
    var description: String { "the handler asked to be tried again" }
}

/// Thrown inside a piece for what no retry helps: ``Outcome/deadLetter(_:)``, a body that cannot be decoded.
struct HopelessDelivery: Error, CustomStringConvertible {
    var description: String
}
