import Logging
import MQProtocol
import NIOCore
import Synchronization

extension CommitLog {
    /// A batch with this log's limits.
    package func makeBatch() -> AppendBatch {
        AppendBatch(
            limits: AppendLimits(
                record: RecordLimits(maximumBodyBytes: configuration.maximumBodyBytes),
                maximumGroupBytes: configuration.segmentBytes - RecordLayout.blankBytes,
                hasChecksum: configuration.appendsRecordChecksum
            )
        )
    }

    /// Gives every record its place and time and writes the batch: all of it or, when this throws, nothing.
    ///
    /// A write that fails half-way leaves bytes behind the end of the log. Nobody can read them, since readers stop at
    /// ``appendedOffset``, which moves only after the last write. They are overwritten with zeros at once; if that
    /// fails too, appends are refused until it succeeds. Were they left, a later and shorter record could end exactly
    /// where one of them begins, and recovery would read on. The zeros are durable before the next record is written:
    /// a flush may have met the bytes, and a power loss could leave some of them among the new records. Power lost
    /// before that can leave whole records of the failed batch at the end of the log: messages whose sender was told of
    /// a failure may exist, a torn one never does.
    package func append(_ batch: inout AppendBatch) throws(StoreError) {
        precondition(batch.groupStart == nil, "a group is open")
        if batch.isEmpty { return }
        while true {
            if needsRepair.load(ordering: .relaxed) { try repair() }
            if let needsFilling = try appendUnheld(&batch) {
                if needsFilling { fillRequest.signal() }
                return
            }
            deletionGate.waitUntilOpen()
        }
    }

    /// How far the store time may be ahead of the clock, for the sake of store times that never decrease.
    ///
    /// It gets ahead when the clock is set back, and by a damaged record that recovery read. Levels of delayed messages
    /// count from the store time: they are late by as much. Beyond this the store time follows the clock.
    package static let maximumLead = Duration.seconds(10)

    /// - Returns: whether the filling thread should work; nil, and nothing is appended, when the batch goes to a queue
    ///   that is being deleted.
    private func appendUnheld(_ batch: inout AppendBatch) throws(StoreError) -> Bool? {
        try state.withLock { (state) throws(StoreError) in
            if !state.held.isEmpty, batch.items.contains(where: { state.held.contains(Int($0.queue)) }) { return nil }
            try admit(&state)
            try plan(batch, &state)
            assign(&batch, &state)
            do throws(StoreError) {
                for run in state.runs { try write(run, of: batch, &state) }
            } catch {
                takeBack(batch, &state)
                throw error
            }
            state.lastTimestamp = batch.storeTimestamp
            return publish(&state)
        }
    }

    static func refusal(_ state: borrowing AppendState) -> StoreError? {
        switch state.phase {
        case .loaded: return StoreError(.notWritable, "the log was not recovered yet")
        case .closed: return StoreError(.closed, "the store is closed")
        case .ready: break
        }
        if let failure = state.flushFailure {
            return StoreError(failure.code, "a flush of the log failed and was not repaired yet: \(failure.message)")
        }
        return nil
    }

    private func admit(_ state: inout AppendState) throws(StoreError) {
        if let refusal = Self.refusal(state) { throw refusal }
        guard state.repairs.isEmpty else {
            throw StoreError(.inputOutput, "what a failed append left behind the end of the log is not cleared yet")
        }
    }

    /// Makes zeros of what failed appends left, durably.
    func repair() throws(StoreError) {
        try commit.withLock { (commit) throws(StoreError) in
            let ranges = try state.withLock { (state) throws(StoreError) in
                if let failure = state.flushFailure { throw failure }
                for range in state.repairs { try clear(range) }
                return state.repairs
            }
            do throws(StoreError) {
                for range in ranges {
                    for segment in table.segments(in: range) { try segment.file.flush() }
                }
            } catch {
                refuse(after: error, &commit)
                throw error
            }
            state.withLock { state in
                // Others may have failed meanwhile.
                state.repairs.removeFirst(ranges.count)
                needsRepair.store(!state.repairs.isEmpty, ordering: .relaxed)
            }
        }
    }

    /// Writes zeros where anything was written. A hole is zero, and a full disk has no room to make it anything else.
    func clear(_ range: Range<LogOffset>) throws(StoreError) {
        for segment in table.segments(in: range) {
            var position = segment.position(of: max(range.lowerBound, segment.offset))
            let end = segment.position(of: min(range.upperBound, segment.end))
            while position < end, let data = try segment.file.nextData(from: position), data.lowerBound < end {
                let written = max(position, data.lowerBound)..<min(data.upperBound, end)
                try segment.file.zeroFill(written)
                position = written.upperBound
            }
        }
    }

    /// Divides the batch into runs, one per segment, and makes sure that the segments exist before anything is written.
    private func plan(_ batch: borrowing AppendBatch, _ state: inout AppendState) throws(StoreError) {
        guard let active = state.active else { preconditionFailure("a recovered log has an active segment") }
        state.runs.removeAll(keepingCapacity: true)
        var run = AppendState.Run(segment: active, items: 0..<0, bytes: 0..<0, position: active.position(of: state.end))
        if batch.byteCount + RecordLayout.blankBytes <= active.length - run.position {
            run.items = 0..<batch.count
            run.bytes = 0..<batch.byteCount
            state.runs.append(run)
            return
        }
        var index = 0
        while index < batch.count {
            let next = index + Int(batch.items[index].groupCount)
            let end = next < batch.count ? batch.items[next].start : batch.byteCount
            let size = end - batch.items[index].start
            if size + RecordLayout.blankBytes > run.segment.length - run.position - run.bytes.count {
                guard size + RecordLayout.blankBytes <= run.segment.length else { throw tooLarge(size) }
                run.endsSegment = true
                state.runs.append(run)
                let start = batch.items[index].start
                run = .init(
                    segment: try successor(of: run.segment), items: index..<index, bytes: start..<start, position: 0)
            }
            run.items = run.items.lowerBound..<next
            run.bytes = run.bytes.lowerBound..<end
            index = next
        }
        state.runs.append(run)
    }

    private func tooLarge(_ size: Int) -> StoreError {
        StoreError(
            .recordTooLarge,
            "\(size) bytes that must stay together do not fit a log file of \(configuration.segmentBytes) bytes"
                + " (segmentBytes, mappedFileSizeCommitLog)"
        )
    }

    /// The next segment: prepared by the filling thread, or created here when that was not fast enough.
    private func successor(of segment: LogSegment) throws(StoreError) -> LogSegment {
        if let prepared = table.segment(at: segment.end) { return prepared }
        let created = try createSegment(at: segment.end)
        table.append(created)
        return created
    }

    func createSegment(at offset: LogOffset) throws(StoreError) -> LogSegment {
        try LogSegment(
            offset: offset,
            length: configuration.segmentBytes,
            directory: placement.withLock { $0.directory(of: offset, configuration, device) },
            device: device,
            mode: .create
        )
    }

    /// Fills in queue offset, log offset and store time.
    private func assign(_ batch: inout AppendBatch, _ state: inout AppendState) {
        let clock = time.now()
        let isAhead = clock.advanced(by: Self.maximumLead) < state.lastTimestamp
        let now = isAhead ? clock : max(clock, state.lastTimestamp)
        batch.storeTimestamp = now
        for run in state.runs {
            let shift = run.start.rawValue - Int64(run.bytes.lowerBound)
            for index in run.items {
                let item = batch.items[index]
                let queueOffset = item.advancesQueue ? state.advance(Int(item.queue)) : .zero
                let logOffset = LogOffset(rawValue: Int64(item.start) + shift)
                batch.items[index].queueOffset = queueOffset
                batch.items[index].logOffset = logOffset
            }
        }
        Self.patch(&batch.staging, batch.items, storeTimestamp: now)
        if batch.hasChecksums { Self.seal(&batch.staging, batch.items) }
    }

    /// One look at the buffer's ownership for all records instead of three per record.
    private static func patch(_ staging: inout ByteBuffer, _ items: [AppendBatch.Item], storeTimestamp: Timestamp) {
        var bytes = staging.mutableReadableBytesSpan
        for item in items {
            bytes.store(item.queueOffset.rawValue, at: item.start + RecordLayout.queueOffset)
            bytes.store(item.logOffset.rawValue, at: item.start + RecordLayout.physicalOffset)
            bytes.store(storeTimestamp.milliseconds, at: item.start + Int(item.timestampPosition))
        }
    }

    private static func seal(_ staging: inout ByteBuffer, _ items: [AppendBatch.Item]) {
        for item in items where item.hasChecksum {
            RecordChecksum.seal(item.start..<item.start + Int(item.size), in: &staging)
        }
    }

    private func write(
        _ run: AppendState.Run,
        of batch: borrowing AppendBatch,
        _ state: inout AppendState
    ) throws(StoreError) {
        if let claim = state.claim, claim.overlaps(run.start..<run.writtenEnd) {
            // The writer overtook the filling thread: its zeros must not come after our bytes.
            fillGate.waitUntilOpen()
            state.claim = nil
        }
        if !run.bytes.isEmpty {
            let bytes = batch.staging.readableBytesUInt8Span.extracting(run.bytes)
            try run.segment.file.write(bytes, at: run.position)
        }
        guard run.endsSegment else { return }
        let position = run.position + run.bytes.count
        var blank = ByteBuffer()
        blank.writeBlankRecord(bytesLeft: Int32(run.segment.length - position))
        try run.segment.file.write(blank, at: position)
    }

    /// Undoes a failed batch: its queue places are free again, its bytes are to become zero.
    private func takeBack(_ batch: borrowing AppendBatch, _ state: inout AppendState) {
        for item in batch.items where item.advancesQueue { state.counters[Int(item.queue)] -= 1 }
        for run in state.runs {
            state.repairs.append(run.start..<run.writtenEnd)
            state.filledEnd = max(state.filledEnd, run.writtenEnd)
            state.repairedEnd = max(state.repairedEnd, run.writtenEnd)
        }
        needsRepair.store(true, ordering: .relaxed)
        for run in state.runs {
            do throws(StoreError) {
                try clear(run.start..<run.writtenEnd)
            } catch {
                logger.error("appends are refused until the end of the log can be cleared: \(error)")
            }
        }
    }

    /// - Returns: whether the filling thread should work.
    private func publish(_ state: inout AppendState) -> Bool {
        guard let last = state.runs.last else { return false }
        let end = last.start + last.bytes.count
        state.active = last.segment
        state.end = end
        state.filledEnd = max(state.filledEnd, end)
        let isFirst = !state.hasAppended
        state.hasAppended = true
        appended.store(end.rawValue, ordering: .releasing)
        let window = configuration.zeroFillWindow
        return isFirst || state.filledEnd < fillTarget(state, window: window - window / 4)
    }
}

extension MutableRawSpan {
    /// Big-endian.
    @_lifetime(self: copy self)
    fileprivate mutating func store(_ value: Int64, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int64.self)
    }
}
