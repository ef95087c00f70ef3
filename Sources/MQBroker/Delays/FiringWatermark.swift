package import MQProtocol

/// How far the arbitrary timers have fired, so that a start neither forgets nor repeats them.
///
/// Timers fire by due time, but a timer may be dispatched when others due later have fired already. So a due time alone
/// is no answer: each ``Mark`` also says how much of the timer queue it speaks of. While the clock runs forward one
/// mark is enough. After it was set back there are more until it has caught up: an early timer of now says nothing
/// about the later ones that fired while the clock was ahead.
///
/// A flipped bit in here would make timers seem fired that were not: the file carries a checksum, and one that does not
/// match is not believed. The previous version then repeats some timers and loses none.
package struct FiringWatermark: JSONBody, Equatable {
    /// Every timer before ``queueEnd`` that is due up to ``dueUpTo`` has fired.
    package struct Mark: Sendable, Equatable {
        /// This millisecond included.
        package var dueUpTo: Timestamp
        /// Timers from here on in the timer queue were not armed yet.
        package var queueEnd: QueueOffset

        package init(dueUpTo: Timestamp, queueEnd: QueueOffset) {
            self.dueUpTo = dueUpTo
            self.queueEnd = queueEnd
        }

        fileprivate func includes(_ other: Mark) -> Bool {
            other.dueUpTo <= dueUpTo && other.queueEnd <= queueEnd
        }
    }

    /// Marks at most. While the clock is behind, each timer that is due before all that wait adds one. What is dropped
    /// beyond that is repeated, not lost.
    package static let markLimit = 64

    /// From the latest due time to the furthest end of the queue; none includes another.
    package private(set) var marks: [Mark]
    /// Timers whose records lie below were copied to the end of the log, if they had not fired.
    package var copiedBelow: LogOffset

    package init(_ marks: [Mark] = [], copiedBelow: LogOffset = .zero) {
        self.marks = []
        self.copiedBelow = copiedBelow
        for mark in marks { note(mark) }
    }

    /// The latest due time up to which anything has fired.
    package var latestDue: Timestamp { marks.first?.dueUpTo ?? Timestamp(milliseconds: 0) }

    /// How much of the timer queue was armed.
    package var queueEnd: QueueOffset { marks.last?.queueEnd ?? .zero }

    package mutating func note(_ mark: Mark) {
        guard !marks.contains(where: { $0.includes(mark) }) else { return }
        marks.removeAll { mark.includes($0) }
        let place = marks.firstIndex { $0.dueUpTo < mark.dueUpTo } ?? marks.count
        marks.insert(mark, at: place)
        // The first tells of most timers, the last of the newest.
        if marks.count > Self.markLimit { marks.remove(at: marks.count - 2) }
    }

    /// What may be said of a timer queue and a log that end here: both may have lost their ends, or all they had.
    package func limited(to queueEnd: QueueOffset, log end: LogOffset) -> FiringWatermark {
        // Nothing that was copied is in this log.
        guard copiedBelow <= end else { return FiringWatermark() }
        let limited = marks.map { Mark(dueUpTo: $0.dueUpTo, queueEnd: min($0.queueEnd, queueEnd)) }
        return FiringWatermark(limited, copiedBelow: copiedBelow)
    }

    /// Whether the timer at this place of the timer queue and of the log is done with.
    package func covers(due: Timestamp, at offset: QueueOffset, logOffset: LogOffset) -> Bool {
        logOffset < copiedBelow || marks.contains { offset < $0.queueEnd && due <= $0.dueUpTo }
    }

    // MARK: JSON

    /// The last mark stands beside the others, where a store written before there were several has its only one.
    package init(json: JSONValue) throws(BodyError) {
        let last = try Mark(json: json)
        var marks: [Mark] = []
        if case .array(let earlier)? = json["earlier"] {
            for mark in earlier { marks.append(try Mark(json: mark)) }
        }
        let copied = LogOffset(rawValue: json["copiedBelow"]?.integer ?? 0)
        let expected = Self.checksum(marks + [last], copied)
        if let given = json["checksum"]?.integer, given != expected {
            throw BodyError(.invalidMember, "checksum: \(given) instead of \(expected)")
        }
        self.init(marks + [last], copiedBelow: copied)
    }

    package var json: JSONValue {
        let last = marks.last ?? Mark(dueUpTo: Timestamp(milliseconds: 0), queueEnd: .zero)
        return [
            "dueUpTo": JSONValue(last.dueUpTo), "queueEnd": JSONValue(last.queueEnd.rawValue),
            "earlier": .array(marks.dropLast().map(\.json)),
            "copiedBelow": JSONValue(copiedBelow.rawValue),
            "checksum": JSONValue(Self.checksum(marks.dropLast() + [last], copiedBelow)),
        ]
    }

    /// Over the numbers as text.
    private static func checksum(_ marks: [Mark], _ copiedBelow: LogOffset) -> Int64 {
        let numbers = marks.flatMap { [$0.dueUpTo.milliseconds, $0.queueEnd.rawValue] } + [copiedBelow.rawValue]
        return Int64(bodyCRC(numbers.map(String.init).joined(separator: " ").utf8.span))
    }
}

extension FiringWatermark.Mark {
    fileprivate init(json: JSONValue) throws(BodyError) {
        guard let due = json["dueUpTo"]?.integer, let end = json["queueEnd"]?.integer else {
            throw BodyError(.missingMember, "dueUpTo, queueEnd")
        }
        self.init(dueUpTo: Timestamp(milliseconds: due), queueEnd: QueueOffset(rawValue: end))
    }

    fileprivate var json: JSONValue {
        ["dueUpTo": JSONValue(dueUpTo), "queueEnd": JSONValue(queueEnd.rawValue)]
    }
}
