/// A byte position in the commit log.
package struct LogOffset: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: Int64

    @inlinable
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static let zero = LogOffset(rawValue: 0)

    @inlinable
    package static func == (lhs: LogOffset, rhs: LogOffset) -> Bool { lhs.rawValue == rhs.rawValue }

    @inlinable
    package static func < (lhs: LogOffset, rhs: LogOffset) -> Bool { lhs.rawValue < rhs.rawValue }

    /// Traps on overflow: an offset from the wire is checked with ``advanced(by:)``.
    @inlinable
    package static func + (lhs: LogOffset, bytes: Int) -> LogOffset { LogOffset(rawValue: lhs.rawValue + Int64(bytes)) }

    @inlinable
    package static func += (lhs: inout LogOffset, bytes: Int) { lhs.rawValue += Int64(bytes) }

    /// Bytes from `rhs` to `lhs`.
    @inlinable
    package static func - (lhs: LogOffset, rhs: LogOffset) -> Int64 { lhs.rawValue - rhs.rawValue }

    /// Nil when the sum is not an `Int64`.
    @inlinable
    package func advanced(by bytes: Int) -> LogOffset? {
        let (sum, overflow) = rawValue.addingReportingOverflow(Int64(bytes))
        return overflow ? nil : LogOffset(rawValue: sum)
    }
}

/// The number of an entry of a consume queue; the first one of a queue is 0.
package struct QueueOffset: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: Int64

    @inlinable
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static let zero = QueueOffset(rawValue: 0)

    @inlinable
    package static func == (lhs: QueueOffset, rhs: QueueOffset) -> Bool { lhs.rawValue == rhs.rawValue }

    @inlinable
    package static func < (lhs: QueueOffset, rhs: QueueOffset) -> Bool { lhs.rawValue < rhs.rawValue }

    /// Traps on overflow: an offset from the wire is checked with ``advanced(by:)``.
    @inlinable
    package static func + (lhs: QueueOffset, entries: Int) -> QueueOffset {
        QueueOffset(rawValue: lhs.rawValue + Int64(entries))
    }

    @inlinable
    package static func += (lhs: inout QueueOffset, entries: Int) { lhs.rawValue += Int64(entries) }

    /// Entries from `rhs` to `lhs`.
    @inlinable
    package static func - (lhs: QueueOffset, rhs: QueueOffset) -> Int64 { lhs.rawValue - rhs.rawValue }

    /// Nil when the sum is not an `Int64`.
    @inlinable
    package func advanced(by entries: Int) -> QueueOffset? {
        let (sum, overflow) = rawValue.addingReportingOverflow(Int64(entries))
        return overflow ? nil : QueueOffset(rawValue: sum)
    }
}

extension LogOffset: CustomStringConvertible {
    package var description: String { String(rawValue) }
}

extension QueueOffset: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
