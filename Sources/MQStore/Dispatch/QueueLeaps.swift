import MQProtocol

/// Records that recovery met with a queue offset beyond the next one of their queue, until it is clear why.
///
/// Either the records in between are gone, or one bit of this record's queue offset is wrong, which no checksum of a
/// stock record covers. The next record of the queue tells: when its own offset is not beyond, the leap was false.
/// Believed, it would hide all messages up to the offset that it claims.
struct QueueLeaps {
    struct Leap {
        let queue: ConsumeQueue
        let number: Int64
        let entry: QueueEntry

        /// Whether its queue offset is the one that follows, but for one bit.
        var isOneBitOff: Bool { (number ^ queue.end).nonzeroBitCount == 1 }
    }

    enum Finding {
        /// The record follows the last entry, lies below it, or is of an earlier life of the queue.
        case follows
        /// The record leaps: it waits for the next one.
        case waits
        /// The record that waited was right, and is to be placed before this one is looked at again.
        case confirmed(Leap)
        /// It was not; this one is to be looked at again.
        case refuted(Leap)
    }

    private var waiting: [Int: Leap] = [:]

    mutating func meet(_ entry: QueueEntry, at number: Int64, of queue: ConsumeQueue) -> Finding {
        guard entry.logOffset >= queue.ignoredBelow else { return .follows }
        let end = queue.end
        let index = queue.ref.index
        if let leap = waiting[index], entry.logOffset > leap.entry.logOffset, number >= end {
            waiting[index] = nil
            return number > leap.number ? .confirmed(leap) : .refuted(leap)
        }
        guard number > end else { return .follows }
        waiting[index] = waiting[index] ?? Leap(queue: queue, number: number, entry: entry)
        return .waits
    }

    /// Those that no later record of their queue said anything about, in the order of the log.
    mutating func takeRest() -> [Leap] {
        defer { waiting = [:] }
        return waiting.values.sorted { $0.entry.logOffset < $1.entry.logOffset }
    }
}
