import Logging
package import MQProtocol
import NIOCore
import Synchronization

/// Where recovery begins to scan.
package enum RecoveryStart: Sendable, Hashable {
    /// After a clean shutdown: the third-last file that holds a record.
    case normal
    /// After a crash: the last file whose first record was stored at or before this time, which the checkpoint vouches
    /// for; the first file when there is none.
    case abnormal(notAfter: Timestamp)
}

/// What the visitor of a recovery says about a record.
package enum ScanVerdict: Sendable {
    case accept
    /// The record cannot follow the ones before it; the log ends before it. The cause is logged.
    case endOfLog(cause: String)
}

package struct RecoveryReport: Sendable, Hashable {
    /// Where the scan began.
    package var start: LogOffset
    /// Where the log ends.
    package var end: LogOffset
    package var records = 0
    /// The newest record.
    package var last: LogOffset?
    package var lastStoreTimestamp = Timestamp.zero
    /// Bytes behind the end, in blocks of 4 KiB, that were not zero and were cleared.
    package var zeroedBytes = 0
    /// Files behind the end that were deleted because they held something.
    package var removedSegments = 0
    /// Records whose properties this broker would not have accepted from a sender, and the first of them.
    package var oddRecords = 0
    package var firstOdd: LogOffset?
    /// Why the scan ended at something other than zeros; nil for a clean end.
    package var cause: String?
    /// Parts of the flushed log that hold no whole record any more, and were passed over.
    package var damaged: [Range<LogOffset>] = []
}

extension CommitLog {
    /// Finds the end of the log, clears everything behind it and flushes, so that appending can begin.
    ///
    /// Good records are handed to `visit` in order: the record's offset, its view, and the bytes of the record alone.
    /// The visitor checks what the log cannot know, the continuity of each queue. Running it again on the result finds
    /// the same end. A crash in between is harmless: nothing before the end is touched, and later files go last first.
    ///
    /// Below `trusted`, or what the flush mark says if that is more, the log was flushed. What is not whole there was
    /// damaged: it is reported with file and position and passed over, so that what was acknowledged behind it stays.
    ///
    /// - Parameters:
    ///   - known: where a record begins that was flushed, with all in front of it, and has its queue entry: the scan
    ///     begins there instead, if the record is still there. It reads what came since, not whole files.
    ///   - recorded: how much of `trusted` our own record vouches for; nil: all of it.
    ///   - limit: what was stored before was flushed too; see ``FlushedExtent``.
    ///   - passed: called before the first record behind a damaged part: continuity is unknown there.
    @discardableResult
    package func recover(
        _ start: RecoveryStart,
        from known: LogOffset? = nil,
        trusted: LogOffset = .zero,
        recorded: LogOffset? = nil,
        storedBefore limit: Timestamp = .zero,
        passed: () -> Void = {},
        visit: (LogOffset, RecordView, Span<UInt8>) throws(StoreError) -> ScanVerdict
    ) throws(StoreError) -> RecoveryReport {
        let segments = table.all
        var report = RecoveryReport(start: .zero, end: .zero)
        let marked = try mark.load()
        let flushed = FlushedExtent(
            end: max(trusted, marked), recorded: max(recorded ?? trusted, marked), time: limit)
        if !segments.isEmpty {
            let first = try firstToScan(segments, start, known: known, flushed: flushed.end)
            if start != .normal { try forgetUnwritten(segments[first.segment...]) }
            try scan(segments, from: first, flushed: flushed, mayBeTorn: start != .normal, &report, passed, visit)
        }
        if report.end < flushed.end { tellOfLoss(report, flushed.end) }
        if !segments.isEmpty {
            try cut(&report)
        }
        let end = report.end
        if table.segment(at: end) == nil { table.append(try createSegment(at: end)) }
        for segment in table.all where !segment.isReadOnly {
            // What a killed process wrote may still be in memory only.
            try segment.file.flush()
        }
        // Nor is the name of a file certain that a killed process had just created.
        for directory in configuration.sortedLogDirectories { try device.syncDirectory(directory) }
        try mark.begin(at: end)
        becomeReady(report)
        return report
    }

    private func becomeReady(_ report: RecoveryReport) {
        // No checksum of a stock record covers its store time: one flipped bit makes it years.
        let newest = min(report.lastStoreTimestamp, time.now().advanced(by: Self.maximumLead))
        state.withLock { state in
            state.active = table.segment(at: report.end)
            state.end = report.end
            state.filledEnd = report.end
            state.repairedEnd = report.end
            state.lastTimestamp = newest
            state.phase = .ready
        }
        commit.withLock { $0 = GroupCommit(done: report.end) }
        minimum.store((table.firstOffset ?? report.end).rawValue, ordering: .releasing)
        deletedBelow.store(minimum.load(ordering: .relaxed), ordering: .releasing)
        flushed.store(report.end.rawValue, ordering: .releasing)
        flushedTime.store(newest.milliseconds, ordering: .releasing)
        appended.store(report.end.rawValue, ordering: .releasing)
        if let cause = report.cause {
            logger.warning("the log ends at \(report.end): \(cause); cleared \(report.zeroedBytes) bytes behind it")
        }
        if let first = report.firstOdd {
            logger.warning(
                """
                the properties of \(report.oddRecords) records, the first at \(first), have zero bytes or do not \
                parse; kept as they are
                """
            )
        }
    }

    /// Segment and position in it.
    private func firstToScan(
        _ segments: [LogSegment], _ start: RecoveryStart, known: LogOffset?, flushed: LogOffset
    ) throws(StoreError) -> (segment: Int, position: Int) {
        var first = try firstToScan(segments, start)
        // The clock may have been set back since the checkpoint: its time is then behind files not flushed yet.
        if flushed > .zero { while first > 0, segments[first].offset > flushed { first -= 1 } }
        guard let known, let index = segments.lastIndex(where: { $0.offset <= known && known < $0.end }),
            index >= first, try holdsRecord(segments[index], at: known)
        else { return (first, 0) }
        return (index, segments[index].position(of: known))
    }

    private func holdsRecord(_ segment: LogSegment, at offset: LogOffset) throws(StoreError) -> Bool {
        try wholeRecord(segment, at: offset) != nil
    }

    /// The bytes of the record that begins there, if it is whole. Read without the map, see
    /// ``firstStoreTimestamp(_:)``.
    private func wholeRecord(_ segment: LogSegment, at offset: LogOffset) throws(StoreError) -> ByteBuffer? {
        let position = segment.position(of: offset)
        var bytes = ByteBuffer()
        _ = try segment.file.read(at: position, count: RecordLayout.blankBytes, into: &bytes)
        guard let size = bytes.getInteger(at: 0, as: Int32.self), size > 0, Int(size) <= segment.length - position,
            Int(size) <= configuration.maximumRecordBytes
        else { return nil }
        bytes.clear()
        _ = try segment.file.read(at: position, count: Int(size), into: &bytes)
        return isWhole(bytes, offset) ? bytes : nil
    }

    private func isWhole(_ bytes: ByteBuffer, _ offset: LogOffset) -> Bool {
        let span = bytes.readableBytesUInt8Span
        guard let record = try? RecordView.parse(span), record.totalSize == span.count else { return false }
        return RecordRules.objection(
            to: record, in: span, at: 0, offset: offset, checksBody: true,
            checksRecord: configuration.appendsRecordChecksum) == nil
    }

    /// Whether the files hold something at the offset, or begin behind it. Before recovery.
    func goesOn(at offset: LogOffset) throws(StoreError) -> Bool {
        guard let first = table.firstOffset, offset > first else { return table.firstOffset != nil }
        guard let segment = table.segment(at: offset) else { return false }
        var head = ByteBuffer()
        _ = try segment.file.read(at: segment.position(of: offset), count: RecordLayout.blankBytes, into: &head)
        return head.readableBytesView.contains { $0 != 0 }
    }

    /// Where the record ends that begins at the offset, if it is whole and has this number in the queue. Before
    /// recovery.
    func endOfRecord(_ number: Int64, of queue: QueueRef, at offset: LogOffset) throws(StoreError) -> LogOffset? {
        guard let segment = table.segment(at: offset), let bytes = try wholeRecord(segment, at: offset) else {
            return nil
        }
        let span = bytes.readableBytesUInt8Span
        guard let record = try? RecordView.parse(span), record.queueOffset.rawValue == number,
            record.queueID == queue.queueID, PropertyScan.equal(span, record.topicRange, queue.topic)
        else { return nil }
        return offset + record.totalSize
    }

    private func firstToScan(_ segments: [LogSegment], _ start: RecoveryStart) throws(StoreError) -> Int {
        guard case .abnormal(let limit) = start else {
            // Files prepared ahead of the writer are not counted: the log ends before them.
            for index in segments.indices.reversed() where try firstStoreTimestamp(segments[index]) != nil {
                return max(0, index - 2)
            }
            return 0
        }
        for index in segments.indices.reversed() {
            guard let time = try firstStoreTimestamp(segments[index]) else { continue }
            if time > .zero, time <= limit { return index }
        }
        return 0
    }

    /// Read without the map: a page that the map has shown could not be dropped from memory any more.
    private func firstStoreTimestamp(_ segment: LogSegment) throws(StoreError) -> Timestamp? {
        var head = ByteBuffer()
        _ = try segment.file.read(at: 0, count: RecordLayout.fixedBytes, into: &head)
        guard head.getInteger(at: RecordLayout.magicCode, as: Int32.self) == RecordLayout.magic,
            let flags = head.getInteger(at: RecordLayout.sysFlag, as: Int32.self),
            let time = head.getInteger(
                at: RecordLayout.storeTimestamp(SysFlag(rawValue: flags)),
                as: Int64.self
            )
        else { return nil }
        return Timestamp(milliseconds: time)
    }

    /// Makes the scan read the disk instead of the memory of the system. A process that died after a failed flush
    /// leaves records there that the system takes for written: adopting them would build on bytes that a power loss
    /// takes away.
    private func forgetUnwritten(_ segments: ArraySlice<LogSegment>) throws(StoreError) {
        for segment in segments where !segment.isReadOnly {
            try segment.file.flush()
            try segment.file.dropCache()
        }
    }

    private func scan(
        _ segments: [LogSegment],
        from first: (segment: Int, position: Int),
        flushed: FlushedExtent,
        mayBeTorn: Bool,
        _ report: inout RecoveryReport,
        _ passed: () -> Void,
        _ visit: (LogOffset, RecordView, Span<UInt8>) throws(StoreError) -> ScanVerdict
    ) throws(StoreError) {
        report.start = segments[first.segment].offset + first.position
        report.end = report.start
        for (index, segment) in segments.enumerated().dropFirst(first.segment) {
            let position = index == first.segment ? first.position : 0
            report.end = segment.offset + position
            // After the last file the end stays where its blank record begins, and that is cleared.
            guard
                try scan(
                    segment, from: position, flushed: flushed, mayBeTorn: mayBeTorn, &report, passed, visit)
            else { return }
        }
    }

    /// - Returns: whether the log goes on in the next segment.
    private func scan(
        _ segment: LogSegment,
        from start: Int,
        flushed: FlushedExtent,
        mayBeTorn: Bool,
        _ report: inout RecoveryReport,
        _ passed: () -> Void,
        _ visit: (LogOffset, RecordView, Span<UInt8>) throws(StoreError) -> ScanVerdict
    ) throws(StoreError) -> Bool {
        var scanner = LogScanner(
            segmentOffset: segment.offset, checksBodies: configuration.checksBodiesOnRecovery,
            checksRecords: configuration.checksBodiesOnRecovery && configuration.appendsRecordChecksum,
            mayBeTorn: mayBeTorn
        )
        return try segment.region.withBytes(0..<segment.length) { (bytes) throws(StoreError) in
            var position = start
            while true {
                // What was flushed reached the disk as a whole.
                scanner.mayBeTorn = mayBeTorn && segment.offset + position >= flushed.end
                switch scanner.step(bytes, at: position) {
                case .blank:
                    return true
                case .end(let cause):
                    let newest = report.lastStoreTimestamp
                    guard let next = try resume(scanner, bytes, position, of: segment, flushed, newest) else {
                        report.cause = cause
                        return false
                    }
                    note(damage: position..<next, of: segment, cause, &report)
                    passed()
                    position = next
                    report.end = segment.offset + position
                case .record(let record, let oddity):
                    let whole = bytes.extracting(position..<position + record.totalSize)
                    if case .endOfLog(let cause) = try visit(report.end, record, whole) {
                        report.cause = cause
                        return false
                    }
                    if oddity != nil {
                        report.oddRecords += 1
                        report.firstOdd = report.firstOdd ?? report.end
                    }
                    report.last = report.end
                    position += record.totalSize
                    report.end = segment.offset + position
                    report.records += 1
                    report.lastStoreTimestamp = max(report.lastStoreTimestamp, record.storeTimestamp)
                }
            }
        }
    }

    /// Where reading goes on in the segment behind what is no whole record; nil when the log ends in front of that.
    private func resume(
        _ scanner: LogScanner, _ bytes: Span<UInt8>, _ damaged: Int, of segment: LogSegment, _ flushed: FlushedExtent,
        _ newest: Timestamp
    ) throws(StoreError) -> Int? {
        let end = Int(min(max(flushed.end, segment.offset), segment.end) - segment.offset)
        if let next = scanner.resume(bytes, behind: damaged, flushedEnd: end) {
            let isRecorded = segment.offset + damaged < flushed.recorded
            // What only queues know of is not older than what lies in front of it, or it was cut off once.
            if !isRecorded, case .record(let record, _) = scanner.step(bytes, at: next),
                record.storeTimestamp < newest
            {
                return nil
            }
            return next
        }
        guard segment.offset + damaged >= flushed.end, flushed.mayCover(behind: newest) else { return nil }
        return try resumeAtCovered(behind: damaged, of: segment, flushed)
    }

    /// The same by what was stored before a time: the next record that is whole, in whatever file, decides.
    private func resumeAtCovered(
        behind damaged: Int, of segment: LogSegment, _ flushed: FlushedExtent
    ) throws(StoreError) -> Int? {
        var start = damaged + 1
        var rest = segment.length
        for other in table.all where other.offset >= segment.offset {
            let found = try firstWhole(in: other, from: start)
            if let found, case .record(let record, _) = found.step {
                guard flushed.covers(record) else { return nil }
                return other === segment ? found.position : rest
            }
            if let found, other === segment { rest = found.position }
            start = 0
        }
        return nil
    }

    /// Where the next whole record begins, or the blank. Zeros are stepped over.
    private func firstWhole(
        in segment: LogSegment, from start: Int
    ) throws(StoreError) -> (position: Int, step: LogScanner.Step)? {
        let scanner = LogScanner(
            segmentOffset: segment.offset, checksBodies: true, checksRecords: configuration.appendsRecordChecksum,
            mayBeTorn: false
        )
        let block = 4096
        var position = start
        var dataEnd = start
        while position < segment.length {
            if position >= dataEnd {
                guard let data = try segment.file.nextData(from: position) else { return nil }
                // A record's length may begin with zeros in front of the next block.
                position = max(position, data.lowerBound - 3)
                dataEnd = data.upperBound
            }
            let end = min((position / block + 1) * block, segment.length)
            if segment.region.isZero(position..<end) { position = max(position, end - 3) }
            let found = segment.region.withBytes(0..<segment.length) { bytes in
                scanner.first(bytes, in: position..<end)
            }
            if let found { return found }
            position = end
        }
        return nil
    }

    private func note(damage: Range<Int>, of segment: LogSegment, _ cause: String?, _ report: inout RecoveryReport) {
        report.damaged.append(segment.offset + damage.lowerBound..<segment.offset + damage.upperBound)
        logger.error(
            """
            \(segment.path) at \(damage.lowerBound): \(damage.count) bytes that were flushed are damaged, their \
            messages are lost: \(cause ?? "zeros"); reading goes on behind them
            """
        )
    }

    /// Nothing that could be passed over: all behind the end is zero, or not there.
    private func tellOfLoss(_ report: RecoveryReport, _ flushed: LogOffset) {
        let segment = table.segment(at: report.end)
        let path = segment?.path ?? "\(configuration.sortedLogDirectories[0])/\(SegmentName.text(report.end))"
        logger.error(
            """
            \(path) at \(segment?.position(of: report.end) ?? 0): the log was flushed up to \(flushed), and the last \
            \(flushed - report.end) bytes of that are gone with their messages (\(report.cause ?? "zeros")); restore \
            them from a copy before more is sent, or go on without them
            """
        )
    }

    /// The end of the log is written to, and what lies behind it is cleared.
    private func checkReadOnly(_ report: RecoveryReport) throws(StoreError) {
        guard let segment = table.all.last(where: { $0.isReadOnly }), segment.end > report.end else { return }
        let cause = report.cause.map { " (\($0))" } ?? ""
        throw StoreError(
            .corrupt,
            "the log ends at \(report.end)\(cause), and \(segment.path) reaches beyond, in a directory of"
                + " readOnlyLogDirectories (readOnlyCommitLogStorePaths); take the directory off that list, or move the"
                + " file to one of storePathCommitLog"
        )
    }

    /// Deletes the files behind the end, except one that is all zero, and clears the rest of the last one.
    ///
    /// - Throws: `corrupt`, before anything is changed, when a read-only file would have to be.
    private func cut(_ report: inout RecoveryReport) throws(StoreError) {
        try checkReadOnly(report)
        var removal = SegmentRemoval()
        for segment in table.all.reversed() where segment.offset > report.end {
            let holdsData = try !isZero(segment, from: 0)
            if !holdsData, segment.offset - report.end <= segment.length { continue }
            if holdsData { report.removedSegments += 1 }
            table.removeLast()
            removal.add(segment)
        }
        try removal.run(on: device)
        #if !ESCROW_BUG_TRUNCATE_WITHOUT_CUT
        if let last = table.segment(at: report.end) {
            report.zeroedBytes = try clear(last, from: last.position(of: report.end))
        }
        #endif
        if report.zeroedBytes > 0 || report.removedSegments > 0, report.cause == nil {
            report.cause = "zeros, with something else behind them"
        }
    }

    private func isZero(_ segment: LogSegment, from start: Int) throws(StoreError) -> Bool {
        var position = start
        while let data = try segment.file.nextData(from: position) {
            let range = max(data.lowerBound, position)..<min(data.upperBound, segment.length)
            if !segment.region.isZero(range) { return false }
            position = range.upperBound
            if position >= segment.length { break }
        }
        return true
    }

    /// Overwrites every block behind `start` that is not zero; blocks that are stay as they are on disk.
    private func clear(_ segment: LogSegment, from start: Int) throws(StoreError) -> Int {
        let block = 4096
        var cleared = 0
        var position = start
        while let data = try segment.file.nextData(from: position) {
            position = max(position, data.lowerBound)
            let end = min(data.upperBound, segment.length)
            while position < end {
                let next = min((position / block + 1) * block, end)
                if !segment.region.isZero(position..<next) {
                    try segment.file.zeroFill(position..<next)
                    cleared += next - position
                }
                position = next
            }
            if position >= segment.length { break }
        }
        return cleared
    }
}
