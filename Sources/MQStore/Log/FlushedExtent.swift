import MQProtocol

/// What of the log was flushed for certain. It was acknowledged, and reached the disk as a whole: what is not whole
/// there was damaged later, and hides nothing that follows it.
struct FlushedExtent {
    /// Everything below.
    var end: LogOffset
    /// Everything below by our own record. From here to ``end`` only the queues say so: what a stock broker has cut off
    /// stays in its files, entries and records, until it is written over.
    var recorded: LogOffset
    /// And whatever was stored before: for a log that another broker wrote, whose checkpoint alone tells. Zero when
    /// that is not asked.
    var time = Timestamp.zero

    /// Whether the record was flushed by what the checkpoint says. Those of its very millisecond may have come behind
    /// it.
    func covers(_ record: RecordView) -> Bool { time > .zero && record.storeTimestamp < time }

    /// Whether a record behind those that were met may be covered: behind one that is not, none is, even if the clock
    /// was set back.
    ///
    /// - Parameter newest: the latest store time met so far.
    func mayCover(behind newest: Timestamp) -> Bool { newest < time }
}
