/// A point in time, as RocketMQ writes it: milliseconds since 1970-01-01 00:00 UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    @inlinable
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    @inlinable
    public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        lhs.milliseconds < rhs.milliseconds
    }

    /// The time `duration` later, rounded down to a millisecond. Stops at the ends of the range: timestamps come from
    /// the wire, and no sum of theirs may trap.
    public func advanced(by duration: Duration) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        guard overflow else { return Timestamp(milliseconds: sum) }
        return Timestamp(milliseconds: duration < .zero ? .min : .max)
    }

    /// The time from this point to `other`; negative when `other` is earlier.
    public func duration(to other: Timestamp) -> Duration {
        let (difference, overflow) = other.milliseconds.subtractingReportingOverflow(milliseconds)
        guard overflow else { return .milliseconds(difference) }
        return .milliseconds(other < self ? Int64.min : Int64.max)
    }

    /// 1970-01-01 00:00 UTC; in records and headers it stands for "never" or "not set".
    public static let zero = Timestamp(milliseconds: 0)
}

extension Duration {
    /// Whole milliseconds, rounded down, clamped to `Int64`.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (high, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        let low = attoseconds.flooringQuotient(by: 1_000_000_000_000_000)
        let (sum, carried) = high.addingReportingOverflow(low)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
}

extension Int64 {
    fileprivate func flooringQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
