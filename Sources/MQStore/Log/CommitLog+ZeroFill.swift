import MQProtocol
import Synchronization

extension CommitLog {
    /// What the filling thread has to do next.
    private enum FillStep {
        /// Write zeros here; the gate is closed until they are written.
        case fill(LogSegment, Range<LogOffset>)
        /// What follows is in another file: flush this one's zeros first, while nothing is claimed.
        case leave
        case create(LogOffset)
        case nothing
    }

    /// The file that zeros are written to, and how many bytes of them were not flushed yet.
    private struct FillTarget {
        let segment: LogSegment
        let file: any StorageFile
        var unflushed = 0
    }

    /// Zeros are written in steps of this size, the longest time an appender that overtook the thread may wait.
    private var fillStep: Int { configuration.flush == .synchronous ? 1 << 18 : 1 << 20 }
    /// Zeros are flushed in steps of this size: a flush of records carries no more of them. Where senders wait for it,
    /// 4 MiB made one flush in a hundred take 3.5 ms, 256 KiB 0.7, at the same records per second; where nobody waits,
    /// small steps only cost the writer time.
    private var fillFlushBytes: Int { configuration.flush == .synchronous ? 1 << 18 : 4 << 20 }

    /// Writes and flushes zeros up to a window ahead of the writer and creates the next segment, until nothing is left
    /// to do. One thread at a time.
    ///
    /// An fdatasync into blocks that were written before is about ten times cheaper than into blocks that are merely
    /// allocated, and a full disk is noticed here instead of under a sender.
    ///
    /// The files are opened a second time: the system reports a failed write-back once per open file, and an error
    /// swallowed here must not be hidden from the flush that acknowledges records.
    package func zeroFillAhead() throws(StoreError) {
        var target: FillTarget?
        while true {
            switch nextFillStep(in: target?.segment) {
            case .nothing:
                try flushZeros(of: &target)
                return
            case .leave:
                try flushZeros(of: &target)
                target = nil
            case .create(let offset):
                try prepareSegment(at: offset)
            case .fill(let segment, let range):
                try fill(range, of: segment, &target)
                if let filled = target, filled.unflushed >= fillFlushBytes { try flushZeros(of: &target) }
            }
        }
    }

    /// Writes zeros to a claimed range and opens the gate, also when that fails.
    ///
    /// Nothing in between may need `commit` or `state`, as taking notice of a failed flush does: an appender that
    /// overtook the thread holds `state` while it waits at the gate, and both would wait for ever.
    private func fill(
        _ range: Range<LogOffset>, of segment: LogSegment, _ target: inout FillTarget?
    ) throws(StoreError) {
        do throws(StoreError) {
            defer { fillGate.open() }
            if target == nil {
                target = FillTarget(segment: segment, file: try device.open(segment.path, .readWrite))
            }
            let start = segment.position(of: range.lowerBound)
            try target?.file.zeroFill(start..<segment.position(of: range.upperBound))
        } catch {
            giveBack(range)
            throw error
        }
        target?.unflushed += Int(range.upperBound - range.lowerBound)
    }

    /// Where the zeros should reach: a window ahead of the writer, but into no more than two files ahead of its own. A
    /// stock broker looks for the end of the log in the last three files only.
    func fillTarget(_ state: borrowing AppendState, window: Int) -> LogOffset {
        let ownEnd = state.active?.end ?? state.end
        return min(state.end + window, ownEnd + 2 * configuration.segmentBytes)
    }

    /// - Parameter current: the file that was filled last, unless it was left since.
    private func nextFillStep(in current: LogSegment?) -> FillStep {
        state.withLock { state in
            guard state.phase == .ready, state.flushFailure == nil, state.repairs.isEmpty else { return .nothing }
            state.claim = nil
            let window = state.hasAppended ? configuration.zeroFillWindow : configuration.firstWindow
            let target = fillTarget(state, window: window)
            let start = max(state.filledEnd, state.end)
            guard window > 0, start < target else { return .nothing }
            guard let segment = table.segment(at: start) else { return .create(start) }
            if let current, current !== segment { return .leave }
            let aligned = segment.offset + (segment.position(of: start) / fillStep + 1) * fillStep
            let range = start..<min(aligned, segment.end)
            state.filledEnd = range.upperBound
            state.claim = range
            fillGate.close()
            return .fill(segment, range)
        }
    }

    /// The range was not filled; it stays unfilled unless the writer went past it.
    private func giveBack(_ range: Range<LogOffset>) {
        state.withLock { state in
            if state.filledEnd == range.upperBound { state.filledEnd = max(range.lowerBound, state.end) }
            state.claim = nil
        }
    }

    private func flushZeros(of target: inout FillTarget?) throws(StoreError) {
        guard let filled = target, filled.unflushed > 0 else { return }
        do throws(StoreError) {
            try filled.file.flush()
        } catch {
            flushFailed(error)
            throw error
        }
        target?.unflushed = 0
    }

    /// Creates the file outside the append lock; the writer may do the same at this moment, which is harmless because
    /// both only bring it into existence at its full length.
    private func prepareSegment(at offset: LogOffset) throws(StoreError) {
        let created = try createSegment(at: offset)
        state.withLock { state in
            if state.phase == .ready, table.segment(at: offset) == nil { table.append(created) }
        }
    }
}
