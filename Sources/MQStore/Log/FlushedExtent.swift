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
    /// Whether the queues are to be asked for more than is recorded.
    private(set) var asksQueues = false

    init(end: LogOffset, recorded: LogOffset, time: Timestamp) {
        self.end = end
        self.recorded = recorded
        self.time = time
    }

    /// What is known before the log and its queues are read.
    ///
    /// Behind our own record, or without one, another broker was the last to write, or our record is lost. Then the
    /// queues know what there was: an entry whose record is whole was not written before that record. After a kill the
    /// last entries may be missing, and the checkpoint tells too.
    ///
    /// - Parameters:
    ///   - position: our own record.
    ///   - mark: see ``FlushMark``.
    ///   - checkpoint: the log's time in it.
    init(_ position: DispatchManifest.Position?, mark: LogOffset, checkpoint: Timestamp, wasKilled: Bool) {
        let recorded = max(position?.queues ?? .zero, mark)
        // Closing records the state of the index, starting does not: then it was not we who were killed.
        let isOthers = position == nil ? recorded == .zero : position?.index != nil
        self.init(end: recorded, recorded: recorded, time: wasKilled && isOthers ? checkpoint : .zero)
        asksQueues = isOthers || !wasKilled
    }

    /// Whether the record was flushed by what the checkpoint says. Those of its very millisecond may have come behind
    /// it.
    func covers(_ record: RecordView) -> Bool { time > .zero && record.storeTimestamp < time }

    /// Whether a record behind those that were met may be covered: behind one that is not, none is, even if the clock
    /// was set back.
    ///
    /// - Parameter newest: the latest store time met so far.
    func mayCover(behind newest: Timestamp) -> Bool { newest < time }
}
