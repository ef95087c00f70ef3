import Logging
package import MQProtocol
package import NIOCore

extension MessageStore {
    /// Chooses messages of a queue for one pull, without copying them.
    ///
    /// Entries that the filter does not want count as looked at, so `nextBegin` may be beyond the last message. At
    /// most 800 entries, or `maximumCount` if that is more, and one queue file are looked at. A record that cannot be
    /// read is skipped: silently when its segment was deleted, with a line in the log when it is damaged.
    ///
    /// - Parameters:
    ///   - from: any number a client sent.
    ///   - mayWait: false on event loops: records further behind than `coldDistance` are then not touched, see
    ///     ``Selection/mustWait``.
    package func select(
        _ queue: QueueRef,
        from: QueueOffset,
        maximumCount: Int,
        limits: PullLimits,
        filter: TagFilter,
        mayWait: Bool = true
    ) -> Selection {
        let consumeQueue = table[queue]
        let (minimum, end) = consumeQueue.bounds(logMinimum: log.minimumOffset)
        var selection = Selection(
            status: .noMessageInQueue,
            nextBegin: .zero,
            minimum: QueueOffset(rawValue: minimum),
            maximum: QueueOffset(rawValue: end)
        )
        if end == 0 { return selection }
        if from.rawValue < minimum {
            selection.status = .offsetTooSmall
            selection.nextBegin = selection.minimum
        } else if from.rawValue >= end {
            selection.status = from.rawValue == end ? .offsetOverflowOne : .offsetOverflowBadly
            selection.nextBegin = selection.maximum
        } else {
            var scan = QueueScan(
                log: log, limits: limits, maximumCount: maximumCount,
                coldDistance: Int64(configuration.coldDistance), diskDistance: Int64(configuration.diskDistance),
                mayWait: mayWait
            )
            scan.run(consumeQueue, from: from.rawValue, filter: filter, &selection)
            for complaint in scan.complaints { logger.error("\(complaint)") }
        }
        return selection
    }

    /// Appends the selected records, each as it is in the log.
    ///
    /// - Returns: the bytes appended: `selection.totalBytes`.
    @discardableResult
    package func copy(_ selection: Selection, into buffer: inout ByteBuffer) -> Int {
        buffer.reserveCapacity(minimumWritableBytes: selection.totalBytes)
        for range in selection.ranges {
            let start = Int(range.logOffset - range.segment.offset)
            range.segment.copy(start..<start + range.bytes, into: &buffer)
        }
        return selection.totalBytes
    }

    /// The record that begins at the offset; nil when none does: any number may come from a client. A damaged one is
    /// not served; the log says where it is.
    package func record(at offset: LogOffset) -> ByteBuffer? {
        var buffer = ByteBuffer()
        return readRecord(at: offset, into: &buffer) == nil ? nil : buffer
    }

    /// The same, appended to a buffer that the caller keeps, and where its parts are.
    package func readRecord(at offset: LogOffset, into buffer: inout ByteBuffer) -> RecordView? {
        guard let slice = log.readable(from: offset) else { return nil }
        let found: (view: RecordView?, damage: String?) = slice.withBytes { bytes in
            guard let record = try? RecordView.parse(bytes), record.physicalOffset == offset else { return (nil, nil) }
            let damage = log.damage(to: record, bytes.extracting(0..<record.totalSize))
            return (damage == nil ? record : nil, damage)
        }
        if let damage = found.damage { logger.error("\(slice.place(0)): \(damage); not served") }
        guard let view = found.view else { return nil }
        slice.copy(0..<view.totalSize, into: &buffer)
        return view
    }

    /// The record with this queue offset; nil when there is none, or none any more.
    package func record(of queue: QueueRef, at offset: QueueOffset) -> ByteBuffer? {
        guard let entry = table[queue].entries(from: offset.rawValue, count: 1)?.entry(0), !entry.isBlank else {
            return nil
        }
        return record(at: entry.logOffset)
    }

    /// Calls `body` with each record, and its bytes, from one that begins at the offset to the end of the log, in log
    /// order. Behind a damaged record it goes on in the next file.
    package func forEachRecord(from offset: LogOffset, _ body: (RecordView, Span<UInt8>) -> Void) {
        var next = max(offset, log.minimumOffset)
        while let slice = log.readable(from: next) {
            slice.withBytes { bytes in
                var position = 0
                while let record = try? RecordView.parse(bytes, at: position),
                    record.physicalOffset == slice.offset + position
                {
                    body(record, bytes.extracting(position..<position + record.totalSize))
                    position += record.totalSize
                }
            }
            next = slice.endsSegment ? slice.nextSegment : slice.end
        }
    }

    /// Store time of the record that begins at the offset; nil when none does.
    func storeTimestamp(at offset: LogOffset) -> Timestamp? {
        guard let slice = log.readable(from: offset) else { return nil }
        return slice.withBytes { bytes in
            guard let record = try? RecordView.parse(bytes), record.physicalOffset == offset else { return nil }
            return record.storeTimestamp
        }
    }
}

extension LogSlice {
    /// - Parameter part: counted from the slice's first byte.
    func copy(_ part: Range<Int>, into buffer: inout ByteBuffer) {
        precondition(part.lowerBound >= 0 && part.upperBound <= count, "part outside of the slice")
        segment.region.copy(range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound, into: &buffer)
    }
}
