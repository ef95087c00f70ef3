package import MQProtocol
import Synchronization

extension CommitLog {
    /// Exactly these bytes; nil when any of them is not readable or they do not lie in one segment.
    package func slice(at offset: LogOffset, count: Int) -> LogSlice? {
        guard count >= 0, let end = offset.advanced(by: count), end <= appendedOffset else { return nil }
        guard offset >= minimumOffset, let segment = table.segment(at: offset), end <= segment.end else { return nil }
        let position = segment.position(of: offset)
        return LogSlice(segment: segment, range: position..<position + count)
    }

    /// From the offset to the end of what is readable in its segment, a blank record included; nil when there is
    /// nothing.
    package func readable(from offset: LogOffset) -> LogSlice? { readable(from: offset, below: appendedOffset) }

    /// The same, up to an end that is not behind that of the log.
    func readable(from offset: LogOffset, below end: LogOffset) -> LogSlice? {
        guard offset >= minimumOffset, offset < end, let segment = table.segment(at: offset) else { return nil }
        let upper = min(end, segment.end)
        return LogSlice(segment: segment, range: segment.position(of: offset)..<segment.position(of: upper))
    }

    /// Why the record must not be served; nil when it may be. Its bytes may come from the disk just now.
    ///
    /// - Parameter bytes: the record alone.
    func damage(to record: RecordView, _ bytes: Span<UInt8>) -> String? {
        let damage = RecordRules.damage(
            to: record, in: bytes, at: 0, checksBody: true, checksRecord: configuration.appendsRecordChecksum)
        if let damage { return damage }
        // What the system dropped after a failed flush reads as zeros, also where no checksum tells.
        guard isFlushFailed.load(ordering: .relaxed), record.physicalOffset >= flushedOffset else { return nil }
        return RecordChecksum.vouches(for: bytes) ? nil : RecordRules.oddity(of: record, in: bytes)
    }

    /// The files, oldest first; the last one may be prepared and empty. Asks the device for the times.
    package func segmentInfo() throws(StoreError) -> [SegmentInfo] {
        var infos: [SegmentInfo] = []
        for segment in table.all {
            guard let entry = try device.entry(segment.path) else { continue }
            infos.append(
                SegmentInfo(
                    offset: segment.offset,
                    length: segment.length,
                    path: segment.path,
                    isReadOnly: segment.isReadOnly,
                    modified: Timestamp(milliseconds: entry.modified)
                )
            )
        }
        return infos
    }

    /// Deletes whole segments that end at or below the offset, oldest first, never one that is not durable yet, the one
    /// being written, or what begins with a read-only one. Slices in use stay readable: the file's name goes, its bytes
    /// stay until the last reference.
    ///
    /// When this throws, a file could not be deleted. Its segment and those behind it may have left the log already;
    /// until their files are gone no more segments do, for nothing would be gained by it.
    ///
    /// - Returns: the new minimum offset.
    @discardableResult
    package func removeSegments(below offset: LogOffset, maximumCount: Int = .max) throws(StoreError) -> LogOffset {
        let active = state.withLock { $0.active?.offset ?? $0.end }
        let kept = table.all.first { $0.isReadOnly }?.offset ?? active
        let limit = min(min(offset, kept), min(flushedOffset, active))
        try removal.withLock { (removal) throws(StoreError) in
            try run(&removal)
            let removed = table.removeFirst(below: limit, count: maximumCount)
            guard let first = table.firstOffset, !removed.isEmpty else { return }
            minimum.store(first.rawValue, ordering: .releasing)
            for segment in removed { removal.add(segment) }
            try run(&removal)
        }
        return minimumOffset
    }

    /// Deletes the files that could not be deleted when their segments left the log.
    func removeUndeleted() throws(StoreError) {
        try removal.withLock { (removal) throws(StoreError) in try run(&removal) }
    }

    private func run(_ removal: inout SegmentRemoval) throws(StoreError) {
        defer { deletedBelow.store(max(deletedOffset, removal.durableEnd).rawValue, ordering: .releasing) }
        try removal.run(on: device)
    }
}
