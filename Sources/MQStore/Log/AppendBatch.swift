package import MQProtocol
import NIOCore

/// The limits a batch checks when a record is added, so that one client's mistake does not refuse the others' records.
package struct AppendLimits: Sendable {
    package var record: RecordLimits
    /// Longest group: a group never leaves its segment, which keeps 8 bytes for the blank record.
    package var maximumGroupBytes: Int
    /// Whether each record ends with a checksum of all of it (``RecordChecksum``), as far as there is room for one.
    package var hasChecksum: Bool

    package init(
        record: RecordLimits = RecordLimits(), maximumGroupBytes: Int = (64 << 20) - RecordLayout.blankBytes,
        hasChecksum: Bool = false
    ) {
        self.record = record
        self.maximumGroupBytes = maximumGroupBytes
        self.hasChecksum = hasChecksum
    }
}

/// Records waiting to be appended together, under one lock hold and with one write per segment.
///
/// Records are encoded when they are added; ``CommitLog/append(_:)`` fills in queue offset, log offset and store time.
/// A batch is filled by one thread, appended once, read, and emptied with ``removeAll()``, which keeps its memory.
package struct AppendBatch: Sendable {
    /// One record: where it is staged and, after the append, where it went.
    package struct Item: Sendable {
        /// Position of the record in `staging`.
        var start: Int
        package internal(set) var size: Int32
        /// The slot of the queue's counter: ``QueueRef/index``.
        var queue: Int32
        /// Items from here to the end of the group; 1 for a record on its own or a group's last.
        var groupCount: Int32 = 1
        /// Offset of the store time inside the record.
        var timestampPosition: UInt8
        /// Whether the record occupies a place in its queue. Half and rollback records do not, and store 0.
        var advancesQueue: Bool
        /// Whether it ends with a checksum, which the append fills in.
        var hasChecksum = false
        package internal(set) var queueOffset = QueueOffset.zero
        package internal(set) var logOffset = LogOffset.zero
    }

    var staging = ByteBuffer()
    var items: [Item] = []
    /// Whether any record may end with a checksum.
    private(set) var hasChecksums = false
    private(set) var groupStart: Int?
    package let limits: AppendLimits
    /// The store time that all records of the batch got; zero before the append.
    package internal(set) var storeTimestamp = Timestamp.zero

    /// - Parameter limits: those of the log it goes to, see ``CommitLog/makeBatch()``.
    package init(limits: AppendLimits = AppendLimits()) {
        self.limits = limits
    }

    package var count: Int { items.count }
    package var isEmpty: Bool { items.isEmpty }
    /// Bytes of all records together.
    package var byteCount: Int { staging.readableBytes }

    package subscript(index: Int) -> Item { items[index] }

    /// The end of the last record in the log, the offset to wait for until all of the batch is flushed. Zero when
    /// empty.
    package var end: LogOffset {
        guard let last = items.last else { return .zero }
        return last.logOffset + Int(last.size)
    }

    /// Encodes the draft. Nothing is added when it throws.
    ///
    /// - Parameter isStoredAgain: whether the message was accepted before and only goes to another place. The longest
    ///   body that is accepted today does not bind it, nor do the rules for properties: a stock broker knows none of
    ///   them. Where they are odd the record gets a checksum whatever the limits say: else it could look torn.
    /// - Throws: `recordTooLarge`, `propertiesTooLarge`, `illegalRecord`. Everything recovery would not accept is
    ///   refused here, or one strange message would end the log at the next start.
    /// - Returns: the item's index.
    @discardableResult
    package mutating func add(
        _ draft: borrowing MessageDraft, to queue: QueueRef, isStoredAgain: Bool = false
    ) throws(StoreError) -> Int {
        let properties = draft.properties.readableBytesUInt8Span
        var getsChecksum = limits.hasChecksum
        if isStoredAgain, !getsChecksum { getsChecksum = RecordRules.areOdd(properties) }
        guard getsChecksum || RecordChecksum.isAtEnd(of: properties) else {
            return try encode(draft, properties, queue, isStoredAgain)
        }
        var other = RecordChecksum.removed(from: copy draft)
        // Better without it than nowhere.
        if isStoredAgain, RecordChecksum.mustBeLeftOut(of: other) { getsChecksum = false }
        if getsChecksum { other = RecordChecksum.reserved(other) }
        let index = try encode(other, other.properties.readableBytesUInt8Span, queue, isStoredAgain)
        if getsChecksum {
            items[index].hasChecksum = true
            hasChecksums = true
        }
        return index
    }

    private mutating func encode(
        _ draft: borrowing MessageDraft, _ properties: Span<UInt8>, _ queue: QueueRef, _ isStoredAgain: Bool
    ) throws(StoreError) -> Int {
        let start = staging.writerIndex
        try RecordRules.check(draft, properties: properties, for: queue, allowsOddProperties: isStoredAgain)
        let size: Int
        do throws(RecordError) {
            size = try staging.writeRecord(
                draft, properties: properties, limits: isStoredAgain ? .ofFormat : limits.record)
        } catch {
            throw StoreError(record: error)
        }
        let groupBytes = staging.writerIndex - (groupStart.flatMap { $0 < count ? items[$0].start : nil } ?? start)
        guard groupBytes <= limits.maximumGroupBytes else {
            staging.moveWriterIndex(to: start)
            throw StoreError(
                .recordTooLarge,
                "\(groupBytes) bytes that must stay together exceed the \(limits.maximumGroupBytes) of a log file;"
                    + " send smaller batches or raise segmentBytes (mappedFileSizeCommitLog)"
            )
        }
        let flags = draft.recordSysFlag
        items.append(
            Item(
                start: start,
                size: Int32(size),
                queue: Int32(queue.index),
                timestampPosition: UInt8(RecordLayout.storeTimestamp(flags)),
                advancesQueue: flags.transactionType == .none || flags.transactionType == .commit
            )
        )
        return items.count - 1
    }

    /// What is added until ``endGroup()`` lies together in one segment. Groups do not nest.
    package mutating func beginGroup() {
        precondition(groupStart == nil, "groups do not nest")
        groupStart = items.count
    }

    package mutating func endGroup() {
        guard let start = groupStart else { preconditionFailure("no group was begun") }
        for index in start..<items.count { items[index].groupCount = Int32(items.count - index) }
        groupStart = nil
    }

    /// Takes back every record since ``beginGroup()``, after one of them could not be added.
    package mutating func cancelGroup() {
        guard let start = groupStart else { preconditionFailure("no group was begun") }
        if start < items.count { staging.moveWriterIndex(to: items[start].start) }
        items.removeSubrange(start...)
        groupStart = nil
    }

    /// Empties the batch and keeps its memory, unless an unusually large batch (more than 1 MiB) grew it.
    package mutating func removeAll() {
        if staging.capacity > 1 << 20 { staging = ByteBuffer() } else { staging.clear() }
        items.removeAll(keepingCapacity: true)
        hasChecksums = false
        groupStart = nil
        storeTimestamp = .zero
    }
}

extension StoreError {
    init(record error: RecordError) {
        let code: Code =
            switch error.code {
            case .bodyTooLong, .recordTooLong: .recordTooLarge
            case .propertiesTooLong: .propertiesTooLarge
            default: .illegalRecord
            }
        self.init(code, error.message)
    }
}
