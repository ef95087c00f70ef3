import Foundation
import Logging
import MQProtocol
import MQStore
import NIOCore
import TestSupport

/// A store with known records, of which damaged copies are opened.
struct TemplateStore: Sendable {
    /// How its process ended.
    enum End: String, Sendable, CaseIterable {
        case closed, crashed
    }

    let directory: String
    let end: End
    let hasRecordChecksum: Bool
    /// In log order.
    let records: [StoredRecord]
    /// Records that end at or below were flushed: the store knows that they were whole.
    let trusted: Int64

    static let segmentBytes = 96 << 10
    private static let topics = ["FileA", "FileB"]
    private static let queueCount: Int32 = 2

    static func configuration(_ directory: String, hasRecordChecksum: Bool) -> StoreConfiguration {
        var configuration = StoreConfiguration(directory: directory)
        configuration.segmentBytes = segmentBytes
        configuration.maximumBodyBytes = 4096
        configuration.queueSegmentEntries = 40
        configuration.indexSlots = 100
        configuration.indexEntries = 150
        configuration.appendsRecordChecksum = hasRecordChecksum
        configuration.firstWindow = 0
        configuration.zeroFillWindow = 0
        configuration.diskFullRatio = 1
        // Nothing is flushed but what is asked for: the tail is not.
        configuration.flush = .asynchronous(interval: .seconds(3600))
        return configuration
    }

    /// Makes one with some 300 records in four log files. The last three are short: every byte of them is torn.
    init(_ directory: String, end: End, hasRecordChecksum: Bool, using generator: inout SeededGenerator) throws {
        self.directory = directory
        self.end = end
        self.hasRecordChecksum = hasRecordChecksum
        let work = directory + "-open"
        let store = try Self.open(work, hasRecordChecksum: hasRecordChecksum, World.quiet)
        var records: [StoredRecord] = []
        var trusted: Int64 = 0
        let count = 320
        for number in 0..<count {
            let topic = Self.topics.randomElement(using: &generator) ?? ""
            let queue = Int32.random(in: 0..<Self.queueCount, using: &generator)
            let isShort = number >= count - 3
            // A tear is in what was never flushed; what was flushed and cannot be read is damage.
            if number == count - 3 {
                try store.flushNow()
                trusted = store.flushedOffset.rawValue
            }
            let draft = Self.draft(Int64(number), topic, queue, isShort: isShort)
            records.append(try Self.append(draft, to: store))
            if number == count * 3 / 4 {
                store.dispatchPending()
                store.keepHouse()
                try store.saveCheckpoint()
            }
        }
        store.dispatchPending()
        store.keepHouse()
        if end == .crashed { try FileManager.default.copyItem(atPath: work, toPath: directory) }
        try store.close()
        if end == .closed { try FileManager.default.copyItem(atPath: work, toPath: directory) }
        try FileManager.default.removeItem(atPath: work)
        self.records = records
        self.trusted = end == .closed ? .max : trusted
    }

    static func open(_ directory: String, hasRecordChecksum: Bool, _ logger: Logger) throws -> MessageStore {
        try MessageStore.open(
            configuration(directory, hasRecordChecksum: hasRecordChecksum), device: FileDevice(), time: .system,
            logger: logger, observer: StoreObserver())
    }

    static func append(_ draft: MessageDraft, to store: MessageStore) throws -> StoredRecord {
        var batch = store.makeBatch()
        try batch.add(draft, to: store.queue(draft.topic, draft.queueID))
        try store.append(&batch)
        let item = batch[0]
        guard let bytes = store.record(at: item.logOffset) else { throw FaultError("a record cannot be read back") }
        let place = Place(queue: QueueName(draft.topic, draft.queueID), offset: item.queueOffset.rawValue)
        return StoredRecord(place: place, logOffset: item.logOffset.rawValue, bytes: bytes)
    }

    static func draft(_ number: Int64, _ topic: String, _ queueID: Int32, isShort: Bool) -> MessageDraft {
        var properties = MessageProperties()
        properties[PropertyName.keys] = Payload.key(number)
        properties[Payload.noteName] = Payload.note(number)
        var body = Payload.body(number)
        if isShort { body = body.getSlice(at: body.readerIndex, length: min(24, body.readableBytes)) ?? body }
        return MessageDraft(
            topic: topic, queueID: queueID, flag: Payload.flag(number), bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(0x7F00_0001), port: 1), storeHost: HostAddress(ip: .v4(0x7F00_0001), port: 2),
            body: body, properties: properties.encode())
    }
}
