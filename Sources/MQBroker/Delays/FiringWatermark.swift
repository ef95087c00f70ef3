package import MQProtocol

/// How far the arbitrary timers have fired, so that a start neither forgets nor repeats them.
///
/// Timers fire by due time, but a timer may be dispatched when others due later have fired already. So a due time alone
/// is no answer: a timer has fired when it is due up to ``dueUpTo`` *and* stood before ``queueEnd`` when that was said.
///
/// A flipped bit in here would make timers seem fired that were not: the file carries a checksum, and one that does not
/// match is not believed. The previous version then repeats some timers and loses none.
package struct FiringWatermark: JSONBody, Equatable {
    /// Every armed timer due up to here, this millisecond included, has fired.
    package var dueUpTo: Timestamp
    /// Timers from here on in the timer queue were not armed yet.
    package var queueEnd: QueueOffset
    /// Timers whose records lie below were copied to the end of the log, if they had not fired.
    package var copiedBelow: LogOffset

    package init(
        dueUpTo: Timestamp = Timestamp(milliseconds: 0), queueEnd: QueueOffset = .zero, copiedBelow: LogOffset = .zero
    ) {
        self.dueUpTo = dueUpTo
        self.queueEnd = queueEnd
        self.copiedBelow = copiedBelow
    }

    package init(json: JSONValue) throws(BodyError) {
        guard let due = json["dueUpTo"]?.integer, let end = json["queueEnd"]?.integer else {
            throw BodyError(.missingMember, "dueUpTo, queueEnd")
        }
        self.init(
            dueUpTo: Timestamp(milliseconds: due), queueEnd: QueueOffset(rawValue: end),
            copiedBelow: LogOffset(rawValue: json["copiedBelow"]?.integer ?? 0)
        )
        if let given = json["checksum"]?.integer, given != checksum {
            throw BodyError(.invalidMember, "checksum: \(given) instead of \(checksum)")
        }
    }

    package var json: JSONValue {
        [
            "dueUpTo": JSONValue(dueUpTo), "queueEnd": JSONValue(queueEnd.rawValue),
            "copiedBelow": JSONValue(copiedBelow.rawValue), "checksum": JSONValue(checksum),
        ]
    }

    /// Over the three numbers as text.
    private var checksum: Int64 {
        let text = "\(dueUpTo.milliseconds) \(queueEnd.rawValue) \(copiedBelow.rawValue)"
        return Int64(bodyCRC(text.utf8.span))
    }

    /// What may be said of a timer queue and a log that end here: both may have lost their ends, or all they had.
    func limited(to queueEnd: QueueOffset, log end: LogOffset) -> FiringWatermark {
        // Nothing that was copied is in this log.
        guard copiedBelow <= end else { return FiringWatermark() }
        var limited = self
        limited.queueEnd = min(self.queueEnd, queueEnd)
        return limited
    }

    /// Whether the timer at this place of the timer queue and of the log is done with.
    package func covers(due: Timestamp, at offset: QueueOffset, logOffset: LogOffset) -> Bool {
        logOffset < copiedBelow || (offset < queueEnd && due <= dueUpTo)
    }
}
