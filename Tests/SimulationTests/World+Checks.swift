import MQProtocol
import NIOCore

@testable import MQStore

extension World {
    /// The log holds every record that must be kept, as it was written, then perhaps more of what was sent, whole.
    func verifyLog(_ store: MessageStore, mustKeep: Int64) throws {
        var kept = 0
        var extra: [SentRecord] = []
        let start = max(store.minimumLogOffset.rawValue, model.minimum)
        model.forget(below: start)
        var offset = LogOffset(rawValue: start)
        while let slice = store.log.readable(from: offset) {
            try slice.withBytes { bytes in
                var position = 0
                while position < bytes.count {
                    let here = slice.offset.rawValue + Int64(position)
                    if extra.isEmpty, kept < model.log.count, model.log[kept].logOffset == here {
                        let expected = model.log[kept]
                        if expected.isDamaged || matches(expected, bytes, position) {
                            kept += 1
                            position += expected.size
                            continue
                        }
                    }
                    if let head = RecordView.sizeAndMagic(bytes, at: position), head.magic == RecordLayout.blankMagic,
                        slice.endsSegment, Int(head.size) == bytes.count - position
                    {
                        break
                    }
                    let unsure = model.candidates + model.log[kept...]
                    let found = unsure.first { $0.logOffset == here && matches($0, bytes, position) }
                    guard here >= mustKeep, let found else {
                        throw Violation(.unaltered, "at \(here), of \(mustKeep)")
                    }
                    extra.append(found)
                    position += found.size
                }
            }
            offset = slice.endsSegment ? slice.nextSegment : slice.end
        }
        try verifyEnd(store, kept: kept, extra, mustKeep: mustKeep)
    }

    private func matches(_ record: SentRecord, _ bytes: Span<UInt8>, _ position: Int) -> Bool {
        position + record.size <= bytes.count
            && crc32(bytes.extracting(position..<position + record.size)) == record.checksum
    }

    private func verifyEnd(_ store: MessageStore, kept: Int, _ extra: [SentRecord], mustKeep: Int64) throws {
        if let lost = model.log[kept...].first, lost.end <= mustKeep {
            throw Violation(.lost, "number \(lost.id) at \(lost.logOffset)")
        }
        let end = store.appendedOffset.rawValue
        if end < (model.log[..<kept].last?.end ?? 0) {
            throw Violation(.placeTwice, "the log ends at \(end)")
        }
        if let segment = store.log.table.segment(at: store.appendedOffset) {
            let rest = segment.position(of: store.appendedOffset)..<segment.length
            if !segment.region.isZero(rest) {
                throw Violation(.zeroEnd, "\(segment.path) behind \(rest.lowerBound)")
            }
        }
        var next: [Int: Int64] = [:]
        for record in extra {
            let wanted = next[record.queue] ?? expectedNext(record.queue, kept: kept)
            guard record.queueOffset == wanted else {
                throw Violation(.dense, "number \(record.id) has \(record.queueOffset)")
            }
            next[record.queue] = record.queueOffset + 1
        }
        model.settle(kept: kept, extra: extra, end: end)
    }

    private func expectedNext(_ queue: Int, kept: Int) -> Int64 {
        let lost = model.log[kept...].first { $0.queue == queue && $0.logOffset >= model.queues[queue].lifeStart }
        return lost?.queueOffset ?? model.queues[queue].next
    }

    /// An interrupted deletion of a topic happened as a whole or not at all.
    func settleDeletion(_ store: MessageStore) throws {
        guard let (topic, end) = model.uncertainDeletion else { return }
        model.uncertainDeletion = nil
        var happened: Set<Bool> = []
        var hasBegunAgain = true
        for (index, queue) in model.queues.enumerated() where queue.topic == topic && queue.next > 0 {
            let isAtZero = store.nextOffset(of: refs[index]) == .zero
            hasBegunAgain = hasBegunAgain && isAtZero
            // At zero, a queue that may begin again tells nothing.
            let survived = queue.records.first.map { $0.end <= store.appendedOffset.rawValue } ?? true
            if survived, !(isAtZero && queue.mayBeginAgain && queue.isBare) { happened.insert(isAtZero) }
        }
        if happened.count > 1 { throw Violation(.deletion, topic) }
        if happened.first ?? hasBegunAgain { model.delete(topic: topic, at: end) }
    }

    /// Queues hold their records at their offsets, and go on behind them.
    func verifyQueues(_ store: MessageStore) throws {
        for index in model.queues.indices {
            let queue = model.queues[index]
            let next = store.nextOffset(of: refs[index]).rawValue
            let end = store.maximumOffset(of: refs[index]).rawValue
            let name = "\(queue.topic) \(queue.queueID)"
            if next != queue.next { try settle(index, next: next, name) }
            // The entries of its last records may be gone with them, their places are not.
            let isRest = end < next && model.queues[index].records.allSatisfy { $0.queueOffset < end || $0.isDamaged }
            guard end == next || isRest else {
                throw Violation(.queues, "\(name) ends at \(end), not \(next)")
            }
            try verifyEntries(store, index, name)
        }
    }

    /// A queue goes on below its end: only where nothing else can be known.
    private func settle(_ index: Int, next: Int64, _ name: String) throws {
        let queue = model.queues[index]
        let reused = queue.records.filter { $0.queueOffset >= next }
        let isForgotten = queue.mayBeginAgain && queue.isBare
        let isUnknown = !reused.isEmpty && reused.allSatisfy(\.isPlaceLost) && reused[0].queueOffset == next
        guard next < queue.next, isForgotten || isUnknown else {
            throw Violation(.reused, "\(name) goes on at \(next), not \(queue.next)")
        }
        model.queues[index].next = next
        model.queues[index].records.removeLast(reused.count)
    }

    private func verifyEntries(_ store: MessageStore, _ index: Int, _ name: String) throws {
        let records = model.queues[index].records
        // A queue that was built again does not know of damaged ones in front.
        guard let first = records.first(where: { !$0.isDamaged }) else { return }
        let minimum = store.minimumOffset(of: refs[index]).rawValue
        if minimum > first.queueOffset {
            throw Violation(
                .queues,
                "\(name) begins at \(minimum), not \(first.queueOffset), number \(first.id) at \(first.logOffset)")
        }
        var position = records.firstIndex { $0.queueOffset >= minimum } ?? records.count
        while position < records.count {
            let from = records[position].queueOffset
            let entries = (try? store.entries(of: refs[index], from: QueueOffset(rawValue: from), count: 32)) ?? []
            if entries.isEmpty, records[position...].allSatisfy(\.isDamaged) { return }
            if entries.isEmpty { throw Violation(.queues, "\(name) has no entry \(from)") }
            for entry in entries where position < records.count {
                let record = records[position]
                let isRight = entry.logOffset.rawValue == record.logOffset && Int(entry.size) == record.size
                guard isRight || record.isDamaged else {
                    throw Violation(.queues, "entry \(record.queueOffset) of \(name) is \(entry)")
                }
                position += 1
            }
        }
    }
}
