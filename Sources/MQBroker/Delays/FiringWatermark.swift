package import MQProtocol

/// How far the arbitrary timers have fired, so that a start neither forgets nor repeats them.
///
/// Timers fire by due time, but a timer may be dispatched when others due later have fired already. So a due time alone
/// is no answer: a timer has fired when it is due up to ``dueUpTo`` *and* stood before ``queueEnd`` when that was said.
package struct FiringWatermark: JSONBody, Equatable {
    /// Every armed timer due up to here, this millisecond included, has fired.
    package var dueUpTo: Timestamp
    /// Timers from here on in the timer queue were not armed yet.
    package var queueEnd: QueueOffset
    /// The delivered copies lie before this: the watermark may be written when the log is durable up to here.
    package var delivered: LogOffset

    package init(
        dueUpTo: Timestamp = Timestamp(milliseconds: 0), queueEnd: QueueOffset = .zero, delivered: LogOffset = .zero
    ) {
        self.dueUpTo = dueUpTo
        self.queueEnd = queueEnd
        self.delivered = delivered
    }

    package init(json: JSONValue) throws(BodyError) {
        guard let due = json["dueUpTo"]?.integer, let end = json["queueEnd"]?.integer else {
            throw BodyError(.missingMember, "dueUpTo, queueEnd")
        }
        self.init(dueUpTo: Timestamp(milliseconds: due), queueEnd: QueueOffset(rawValue: end))
    }

    package var json: JSONValue {
        ["dueUpTo": JSONValue(dueUpTo), "queueEnd": JSONValue(queueEnd.rawValue)]
    }

    package func covers(due: Timestamp, at offset: QueueOffset) -> Bool {
        offset < queueEnd && due <= dueUpTo
    }
}
