package import MQProtocol
import NIOCore
import Synchronization

extension CommitLog {
    /// Makes everything appended before the call durable. Thread safe; one flush runs at a time.
    ///
    /// - Throws: the device's error; from then on appends are refused and nothing is acknowledged until a later call
    ///   has written the unflushed records again and flushed them, see ``rewrite(_:_:)``.
    /// - Returns: the end of the durable log.
    @discardableResult
    package func flush() throws(StoreError) -> LogOffset {
        try commit.withLock { (commit) throws(StoreError) in
            let (end, time) = state.withLock { ($0.end, $0.lastTimestamp) }
            switch commit.next(appended: end) {
            case .nothing:
                break
            case .flush(let range):
                do throws(StoreError) {
                    try flush(range, &commit)
                } catch {
                    refuse(after: error, &commit)
                    throw error
                }
            case .rewrite(let range):
                try rewrite(range)
                commit.rewritten(upTo: range.upperBound)
                state.withLock { $0.flushFailure = nil }
                isFlushFailed.store(false, ordering: .relaxed)
            }
            publish(flushed: commit.done)
            flushedTime.store(time.milliseconds, ordering: .releasing)
            return commit.done
        }
    }

    /// Takes notice of a failed flush on another descriptor of the log's files.
    func flushFailed(_ error: StoreError) {
        commit.withLock { refuse(after: error, &$0) }
    }

    func refuse(after error: StoreError, _ commit: inout GroupCommit) {
        commit.failed()
        isFlushFailed.store(true, ordering: .relaxed)
        state.withLock { $0.flushFailure = error }
    }

    private func flush(_ range: Range<LogOffset>, _ commit: inout GroupCommit) throws(StoreError) {
        for segment in table.segments(in: range) {
            #if !ESCROW_BUG_ACK_BEFORE_FLUSH
            try segment.file.flush()
            #endif
            let end = min(segment.end, range.upperBound)
            commit.flushed(upTo: end)
            publish(flushed: end)
        }
    }

    private func publish(flushed end: LogOffset) {
        mark.move(to: end)
        flushed.store(end.rawValue, ordering: .releasing)
    }

    /// Repairs the log after a failed flush. Appends are refused meanwhile.
    ///
    /// The system marks pages that it could not write as clean, and may drop them: then reading brings back what the
    /// disk has, which is zeros, because the log is zero ahead of its end. So every unflushed record is first read and
    /// checked. A dropped page inside a record shows: zeros in the body break its CRC, zeros in topic or properties do
    /// not parse, and a record whose head was cut has a body length or topic length of zero, so that its lengths do not
    /// add up. Records that pass are written again, which makes their pages dirty again, and flushed. When one does not
    /// pass, its bytes are gone from memory and perhaps from disk; the log then refuses writes until the store is
    /// opened anew and recovery decides, from the disk alone, where it ends. Nothing of that was acknowledged as
    /// flushed.
    private func rewrite(_ range: Range<LogOffset>) throws(StoreError) {
        let zeroEnd = state.withLock { $0.repairedEnd }
        for segment in table.segments(in: range) {
            let start = segment.position(of: max(range.lowerBound, segment.offset))
            let end = segment.position(of: min(range.upperBound, segment.end))
            try verify(segment, start..<end)
            try writeAgain(segment, start..<end)
        }
        if zeroEnd > range.upperBound { try clear(range.upperBound..<zeroEnd) }
        for segment in table.segments(in: range.lowerBound..<max(range.upperBound, zeroEnd)) {
            try segment.file.flush()
        }
    }

    private func verify(_ segment: LogSegment, _ range: Range<Int>) throws(StoreError) {
        let scanner = LogScanner(
            segmentOffset: segment.offset, checksBodies: true, checksRecords: configuration.appendsRecordChecksum,
            mayBeTorn: true
        )
        let reached = segment.region.withBytes(0..<segment.length) { bytes in
            var position = range.lowerBound
            while position < range.upperBound {
                switch scanner.step(bytes, at: position) {
                case .record(let record, _): position += record.totalSize
                case .blank: position = segment.length
                case .end: return position
                }
            }
            return position
        }
        guard reached == range.upperBound else {
            throw StoreError(
                .corrupt,
                "a flush of \(segment.path) failed and the record at \(reached) can no longer be read as written;"
                    + " check the disk and restart the broker: it will recover what is on disk"
            )
        }
    }

    private func writeAgain(_ segment: LogSegment, _ range: Range<Int>) throws(StoreError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + Zeros.block.readableBytes, range.upperBound)
            var copy = ByteBuffer()
            segment.region.copy(position..<end, into: &copy)
            try segment.file.write(copy, at: position)
            position = end
        }
    }
}
