import MQProtocol

/// Reads a segment record by record and says where the log ends. Pure.
struct LogScanner {
    enum Step {
        /// A record; odd properties are those of a stock broker's client.
        case record(RecordView, oddity: String?)
        /// The rest of the segment is blank.
        case blank
        /// The log ends here; a cause means that something other than zeros lies here.
        case end(cause: String?)
    }

    var segmentOffset: LogOffset
    var checksBodies: Bool
    /// Whether the checksums of whole records are compared, where there are any.
    var checksRecords: Bool
    /// Whether a power loss may have torn a record: after a clean stop, odd properties are what was stored.
    var mayBeTorn: Bool

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
        let oddity = RecordRules.oddity(of: record, in: bytes.extracting(position..<position + record.totalSize))
        if let oddity, mayBeTorn, isTorn(record, bytes, at: position) { return .end(cause: oddity) }
        return .record(record, oddity: oddity)
    }

    /// Where reading goes on behind bytes that were flushed and hold no whole record any more.
    ///
    /// - Parameter flushedEnd: positions below were flushed.
    /// - Returns: nil when the log ends at `damaged`: it was not flushed from there on, or all of it that was is zero.
    func resume(_ bytes: Span<UInt8>, behind damaged: Int, flushedEnd: Int) -> Int? {
        guard damaged < flushedEnd else { return nil }
        if let found = first(bytes, in: damaged + 1..<flushedEnd + 1) { return found.position }
        if flushedEnd == bytes.count { return flushedEnd }
        for position in damaged..<flushedEnd where bytes[position] != 0 { return flushedEnd }
        return nil
    }

    /// The first place of the range where a whole record begins, or the blank.
    func first(_ bytes: Span<UInt8>, in range: Range<Int>) -> (position: Int, step: Step)? {
        for position in range {
            guard let (size, magic) = RecordView.sizeAndMagic(bytes, at: position) else { return nil }
            let isHead =
                magic == RecordLayout.magic || magic == RecordLayout.longTopicMagic
                || magic == RecordLayout.blankMagic && Int(size) == bytes.count - position
            guard isHead else { continue }
            let found = step(bytes, at: position)
            if case .end = found { continue }
            return (position, found)
        }
        return nil
    }

    /// Whether a record with odd properties may be the rest of one that reached the disk in part.
    ///
    /// It is not when its own checksum covers them, which is compared here even if no other one is: it may be there for
    /// just this. Nor when the log goes on right behind it, unless a whole sector of them is zero: sectors reach the
    /// disk in any order, each as a whole.
    private func isTorn(_ record: RecordView, _ bytes: Span<UInt8>, at position: Int) -> Bool {
        let end = position + record.totalSize
        if RecordChecksum.vouches(for: bytes.extracting(position..<end)) { return false }
        guard goesOn(bytes, at: end) else { return true }
        let properties = position + record.propertiesRange.lowerBound..<end
        return (properties.lowerBound / Self.sector...(end - 1) / Self.sector).contains { sector in
            let start = sector * Self.sector
            return bytes.extracting(start..<min(start + Self.sector, bytes.count)).isZero
        }
    }

    /// Whether a blank record, or an intact one that was written for just this place, begins here.
    private func goesOn(_ bytes: Span<UInt8>, at position: Int) -> Bool {
        guard let (size, magic) = RecordView.sizeAndMagic(bytes, at: position) else { return false }
        if magic == RecordLayout.blankMagic { return Int(size) == bytes.count - position }
        guard let record = try? RecordView.parse(bytes, at: position) else { return false }
        let objection = RecordRules.objection(
            to: record, in: bytes, at: position, offset: segmentOffset + position, checksBody: true,
            checksRecord: checksRecords
        )
        return objection == nil
    }

    /// The least that a disk writes as a whole.
    private static let sector = 512
}

extension Span<UInt8> {
    fileprivate var isZero: Bool {
        for index in indices where self[index] != 0 { return false }
        return true
    }
}
