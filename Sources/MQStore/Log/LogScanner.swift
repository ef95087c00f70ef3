import MQProtocol

/// Reads a segment record by record and says where the log ends. Pure.
struct LogScanner {
    enum Step {
        case record(RecordView)
        /// The rest of the segment is blank.
        case blank
        /// The log ends here; a cause means that something other than zeros lies here.
        case end(cause: String?)
    }

    var segmentOffset: LogOffset
    var checksBodies: Bool
    /// Whether the checksums of whole records are compared, where there are any.
    var checksRecords: Bool

    /// - Parameter bytes: the whole segment.
    func step(_ bytes: Span<UInt8>, at position: Int) -> Step {
        if position == bytes.count { return .blank }
        guard let (size, magic) = RecordView.sizeAndMagic(bytes, at: position) else {
            return .end(cause: "fewer than 8 bytes are left in the file")
        }
        if size == 0, magic == 0 { return .end(cause: nil) }
        if magic == RecordLayout.blankMagic {
            guard Int(size) == bytes.count - position else { return .end(cause: "a blank record of \(size) bytes") }
            return .blank
        }
        let record: RecordView
        do throws(RecordError) {
            record = try RecordView.parse(bytes, at: position)
        } catch {
            return .end(cause: error.message)
        }
        // A record always leaves room for a blank one.
        guard position + record.totalSize + RecordLayout.blankBytes <= bytes.count else {
            return .end(cause: "a record of \(record.totalSize) bytes reaches the end of the file")
        }
        let objection = RecordRules.objection(
            to: record,
            in: bytes,
            at: position,
            offset: segmentOffset + position,
            checksBody: checksBodies,
            checksRecord: checksRecords
        )
        if let objection { return .end(cause: objection) }
        return .record(record)
    }

    /// Where reading goes on behind bytes that were flushed and hold no whole record any more.
    ///
    /// - Parameter flushedEnd: positions below were flushed.
    /// - Returns: nil when the log ends at `damaged`: it was not flushed from there on, or all of it that was is zero.
    func resume(_ bytes: Span<UInt8>, behind damaged: Int, flushedEnd: Int) -> Int? {
        guard damaged < flushedEnd else { return nil }
        var position = damaged + 1
        while position <= flushedEnd, let (size, magic) = RecordView.sizeAndMagic(bytes, at: position) {
            let isHead =
                magic == RecordLayout.magic || magic == RecordLayout.longTopicMagic
                || magic == RecordLayout.blankMagic && Int(size) == bytes.count - position
            if isHead {
                if case .end = step(bytes, at: position) {} else { return position }
            }
            position += 1
        }
        if flushedEnd == bytes.count { return flushedEnd }
        for position in damaged..<flushedEnd where bytes[position] != 0 { return flushedEnd }
        return nil
    }
}
