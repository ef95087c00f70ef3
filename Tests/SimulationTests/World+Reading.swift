import MQProtocol
import NIOCore
import Synchronization
import TestSupport

@testable import MQStore

extension World {
    /// What the system dropped after a failed flush can no longer be read; it was not acknowledged.
    private var readableEnd: Int64 { dropsPages && model.hasFlushFailed ? model.acknowledged : model.end }

    private func readable(_ queue: ModelQueue, _ store: MessageStore) -> [SentRecord] {
        let end = min(readableEnd, store.dispatchedOffset.rawValue)
        return queue.records.filter { $0.end <= end }
    }

    private func mayBeMissing(_ record: SentRecord) -> Bool { record.isDamaged || record.end > readableEnd }

    private func randomRecord() -> SentRecord? {
        guard !model.log.isEmpty else { return nil }
        let record = model.log[random.below(model.log.count)]
        return record.end <= readableEnd ? record : nil
    }

    func readRecord(_ store: MessageStore) throws {
        guard let record = randomRecord() else { return }
        let bytes = store.record(at: LogOffset(rawValue: record.logOffset))
        try check(record, bytes, "read at \(record.logOffset)")
    }

    private func check(_ record: SentRecord, _ bytes: ByteBuffer?, _ how: String) throws {
        if record.isDamaged {
            if bytes != nil { throw Violation(.corrupt, "number \(record.id), \(how)") }
            return
        }
        guard let bytes else { throw Violation(.readable, "number \(record.id), \(how)", isAbsence: true) }
        guard crc32(bytes.readableBytesUInt8Span) == record.checksum else {
            throw Violation(.altered, "number \(record.id), \(how)")
        }
    }

    /// One pull from a random place: the records from there on, in order, without any but damaged ones missing.
    func pull(_ store: MessageStore) throws {
        let index = random.below(model.queues.count)
        let queue = model.queues[index]
        let readable = readable(queue, store)
        guard !readable.isEmpty else { return }
        let start = random.below(readable.count)
        let first = readable[start].queueOffset
        let selection = store.select(
            refs[index], from: QueueOffset(rawValue: first), maximumCount: 1 + random.below(8), limits: PullLimits(),
            filter: .all
        )
        var buffer = ByteBuffer()
        store.copy(selection, into: &buffer)
        let known = queue.records.filter { $0.end <= store.dispatchedOffset.rawValue }
        var position = start
        while buffer.readableBytes > 0 {
            let size = buffer.getInteger(at: buffer.readerIndex, as: Int32.self).map(Int.init) ?? 0
            guard size > 0, let bytes = buffer.readSlice(length: size) else {
                throw Violation(.whole, "\(queue.topic) from \(first)")
            }
            let sum = crc32(bytes.readableBytesUInt8Span)
            while position < known.count, mayBeMissing(known[position]), known[position].checksum != sum {
                position += 1
            }
            guard position < known.count else {
                throw Violation(.pulled, "\(queue.topic) \(queue.queueID) from \(first)")
            }
            try check(known[position], bytes, "pulled from \(queue.topic) \(queue.queueID) at \(first)")
            position += 1
        }
        let next = selection.nextBegin.rawValue
        for record in known[position...] where record.queueOffset < next && !mayBeMissing(record) {
            let detail = "number \(record.id) of \(queue.topic) at \(record.queueOffset): \(selection.status)"
            throw Violation(.passedOver, detail, isAbsence: true)
        }
        // A queue none of whose records can be read any more is one that expired; entries that a failed flush dropped
        // are there again when they are written anew.
        let isWhole = store.refusal == nil && !store.house.withLock(\.mustRewrite)
        if next <= first, !known[start...].allSatisfy(\.isDamaged), isWhole {
            throw Violation(.progress, "\(queue.topic) from \(first) to \(next)", isAbsence: true)
        }
    }

    func query(_ store: MessageStore) throws {
        guard let record = randomRecord(), let indexed = store.indexedOffset, record.end <= indexed.rawValue else {
            return
        }
        let queue = model.queues[record.queue]
        let result = store.query(
            topic: queue.topic, key: "k\(record.id)", maximum: 64, begin: .zero, end: Timestamp(milliseconds: .max)
        )
        let found = result.records.first { crc32($0.readableBytesUInt8Span) == record.checksum }
        if found == nil, !record.isDamaged {
            let detail = "number \(record.id) of \(queue.topic), \(result.records.count) others found"
            throw Violation(.index, detail, isAbsence: true)
        }
    }

    func search(_ store: MessageStore) throws {
        let index = random.below(model.queues.count)
        let records = readable(model.queues[index], store)
        guard !records.isEmpty, !records.contains(where: \.isDamaged) else { return }
        // What cannot be read in the middle ends the search.
        if dropsPages, model.hasFlushFailed { return }
        // Where the clock was set back far, times do not lead to one place.
        guard zip(records, records.dropFirst()).allSatisfy({ $0.storeTime <= $1.storeTime }) else { return }
        let wanted = records[random.below(records.count)].storeTime + Int64(random.below(3000)) - 1500
        let number = store.searchOffset(of: refs[index], at: Timestamp(milliseconds: wanted)).rawValue
        // A segment whose deletion failed is back after a restart, and its messages are found again.
        guard store.minimumLogOffset.rawValue >= model.minimum else { return }
        guard let found = model.queues[index].record(at: number) else {
            let known = "\(records[0].queueOffset)...\(records[records.count - 1].queueOffset)"
            let detail = "\(number) of \(model.queues[index].topic), which has \(known)"
            throw Violation(.search, detail, isAbsence: true)
        }
        let best = records.map { abs($0.storeTime - wanted) }.min() ?? 0
        if abs(found.storeTime - wanted) != best {
            throw Violation(
                .nearest, "\(number) of \(model.queues[index].topic)", isAbsence: true)
        }
    }
}
