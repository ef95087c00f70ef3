import MQProtocol

/// What the append lock protects.
struct AppendState: Sendable {
    enum Phase: Sendable { case loaded, ready, closed }

    /// Records that go to one segment with one write.
    struct Run: Sendable {
        var segment: LogSegment
        var items: Range<Int>
        /// The records' bytes in the staging buffer.
        var bytes: Range<Int>
        /// Where they go in the segment.
        var position: Int
        /// Whether the rest of the segment becomes a blank record.
        var endsSegment = false

        var start: LogOffset { segment.offset + position }
        /// End of what is written, the blank's 8 bytes included.
        var writtenEnd: LogOffset { start + bytes.count + (endsSegment ? RecordLayout.blankBytes : 0) }
    }

    var phase = Phase.loaded
    /// The segment of `end`; nil only before recovery.
    var active: LogSegment?
    /// Where the next record goes.
    var end: LogOffset
    /// Store time of the newest record; store times never decrease.
    var lastTimestamp = Timestamp.zero
    /// Next queue offset by ``QueueRef/index``.
    var counters: [Int64] = []
    /// Queues that are being deleted, by ``QueueRef/index``: appends to them wait.
    var held: Set<Int> = []
    /// Kept for its memory.
    var runs: [Run] = []
    var hasAppended = false

    /// Zeros were written up to here, or are being written (`claim`).
    var filledEnd: LogOffset
    /// What the filling thread writes at this moment, unless the gate is open.
    var claim: Range<LogOffset>?

    /// Bytes behind `end` that a failed append may have left; appends wait until they are zero again, durably.
    var repairs: [Range<LogOffset>] = []
    /// How far failed appends ever reached: rewritten as zeros together with unflushed records.
    var repairedEnd: LogOffset
    /// Set while nothing may be acknowledged because a flush failed.
    var flushFailure: StoreError?

    /// Next queue offset; 0 for a queue that was never appended to.
    func counter(_ queue: Int) -> Int64 { queue < counters.count ? counters[queue] : 0 }

    init(end: LogOffset) {
        self.end = end
        filledEnd = end
        repairedEnd = end
    }

    mutating func advance(_ queue: Int) -> QueueOffset {
        if queue >= counters.count { counters.append(contentsOf: repeatElement(0, count: queue + 1 - counters.count)) }
        defer { counters[queue] += 1 }
        return QueueOffset(rawValue: counters[queue])
    }
}
