import MQProtocol
import Synchronization

extension CommitLog {
    /// What the filling thread has to do next.
    private enum FillStep {
        /// Write zeros here; the gate is closed until they are written.
        case fill(LogSegment, Range<LogOffset>)
        case create(LogOffset)
        case nothing
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
        var target: (segment: LogSegment, file: any StorageFile)?
        var unflushed = 0
        while true {
            switch nextFillStep() {
            case .nothing:
                if let target, unflushed > 0 { try flushZeros(target.file) }
                return
            case .create(let offset):
                try prepareSegment(at: offset)
            case .fill(let segment, let range):
                do throws(StoreError) {
                    defer { fillGate.open() }
                    if target?.segment !== segment {
                        if let target { try flushZeros(target.file) }
                        target = (segment, try device.open(segment.path, .readWrite))
                    }
                    let start = segment.position(of: range.lowerBound)
                    try target?.file.zeroFill(start..<segment.position(of: range.upperBound))
                } catch {
                    giveBack(range)
                    throw error
                }
                unflushed += Int(range.upperBound - range.lowerBound)
                if unflushed >= fillFlushBytes, let target {
                    try flushZeros(target.file)
                    unflushed = 0
                }
            }
        }
    }

    /// Where the zeros should reach: a window ahead of the writer, but into no more than two files ahead of its own. A
    /// stock broker looks for the end of the log in the last three files only.
    func fillTarget(_ state: borrowing AppendState, window: Int) -> LogOffset {
        let ownEnd = state.active?.end ?? state.end
        return min(state.end + window, ownEnd + 2 * configuration.segmentBytes)
    }

    private func nextFillStep() -> FillStep {
        state.withLock { state in
            guard state.phase == .ready, state.flushFailure == nil, state.repairs.isEmpty else { return .nothing }
            state.claim = nil
            let window = state.hasAppended ? configuration.zeroFillWindow : configuration.firstWindow
            let target = fillTarget(state, window: window)
            let start = max(state.filledEnd, state.end)
            guard window > 0, start < target else { return .nothing }
            guard let segment = table.segment(at: start) else { return .create(start) }
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

    private func flushZeros(_ file: any StorageFile) throws(StoreError) {
        do throws(StoreError) {
            try file.flush()
        } catch {
            flushFailed(error)
            throw error
        }
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
