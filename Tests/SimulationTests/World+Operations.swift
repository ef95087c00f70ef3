import MQProtocol
import NIOCore
import Synchronization
import TestSupport

@testable import MQStore

extension World {
    /// A record to be appended.
    struct Draft {
        var queue: Int
        var kind = SentRecord.Kind.plain
        var id: Int
    }

    func draft(queue: Int, kind: SentRecord.Kind = .plain) -> Draft {
        nextID += 1
        return Draft(queue: queue, kind: kind, id: nextID)
    }

    func queueIndex(_ topic: String) -> Int { model.queues.firstIndex { $0.topic == topic } ?? 0 }

    // MARK: Appending

    func append(_ store: MessageStore, count: Int) throws {
        var drafts: [Draft] = []
        // Topics whose records wait get them by other operations.
        for _ in 0..<count { drafts.append(draft(queue: random.below(5))) }
        try append(store, drafts, isGroup: count > 1 && random.below(2) == 0)
    }

    func appendWaiting(_ store: MessageStore, topic: String) throws {
        if model.waiting.count > 12 { return }
        let one = draft(queue: queueIndex(topic))
        try append(store, [Draft(queue: one.queue, kind: .waiting(one.id), id: one.id)], isGroup: false)
    }

    /// A verdict, or the time has come: the outcome and the note that it is settled go together.
    func decide(_ store: MessageStore) throws {
        guard let number = model.waiting.keys.sorted().randomElement(using: &random) else { return }
        var drafts = [draft(queue: queueIndex(SystemTopic.opHalf), kind: .settled(number))]
        if random.below(3) > 0 { drafts.insert(draft(queue: random.below(5), kind: .outcome(number)), at: 0) }
        try append(store, drafts, isGroup: true)
    }

    func append(_ store: MessageStore, _ drafts: [Draft], isGroup: Bool, makesRoom: Bool = false) throws {
        var batch = store.makeBatch()
        if isGroup { batch.beginGroup() }
        for draft in drafts { try batch.add(message(draft), to: refs[draft.queue]) }
        if isGroup { batch.endGroup() }
        trail.amend(" \(drafts.map { "\($0.id)>\($0.queue)" }.joined(separator: " "))")
        do {
            try store.append(&batch, makesRoom: makesRoom)
        } catch {
            // Whole records of it may be found after a crash at the places it had, if it came so far.
            model.candidates += sent(batch, drafts).filter { $0.logOffset >= model.end }
            throw error
        }
        for record in sent(batch, drafts) {
            trail.amend(" @\(record.queueOffset)")
            try accept(record)
        }
    }

    private func accept(_ record: SentRecord) throws {
        let expected = model.queues[record.queue].next
        guard record.queueOffset == expected else {
            throw Violation(.dense, "queue \(record.queue): \(record.queueOffset), not \(expected)")
        }
        if record.logOffset < model.end {
            throw Violation(.overlap, "\(record.logOffset) below \(model.end)")
        }
        model.append(record)
    }

    private func sent(_ batch: AppendBatch, _ drafts: [Draft]) -> [SentRecord] {
        let bytes = batch.staging.readableBytesUInt8Span
        return drafts.indices.map { index in
            let item = batch.items[index]
            return SentRecord(
                id: drafts[index].id, queue: drafts[index].queue, kind: drafts[index].kind,
                queueOffset: item.queueOffset.rawValue, logOffset: item.logOffset.rawValue, size: Int(item.size),
                checksum: crc32(bytes.extracting(item.start..<item.start + Int(item.size))),
                storeTime: batch.storeTimestamp.milliseconds
            )
        }
    }

    static let fillers = [0, 0, 40, 40, 200, 500]

    /// Few different lengths, so that what is left of one record often ends where another one did.
    private func message(_ draft: Draft) -> MessageDraft {
        var body = ByteBuffer()
        body.writeInteger(Int64(draft.id))
        body.writeRepeatingByte(UInt8(truncatingIfNeeded: draft.id), count: Self.fillers[draft.id % Self.fillers.count])
        var properties = "KEYS\u{1}k\(draft.id)\u{2}TAGS\u{1}\(draft.id % 2 == 0 ? "even" : "odd")"
        if case .waiting = draft.kind, model.queues[draft.queue].topic == SystemTopic.timerWheel {
            properties += "\u{2}TIMER_OUT_MS\u{1}\(clock.now().milliseconds + 5000)"
        }
        return MessageDraft(
            topic: model.queues[draft.queue].topic,
            queueID: model.queues[draft.queue].queueID,
            sysFlag: [],
            bornTimestamp: clock.now(),
            bornHost: HostAddress(ip: .v4(0x7F00_0001), port: 1),
            storeHost: HostAddress(ip: .v4(0x7F00_0002), port: 2),
            body: body,
            properties: ByteBuffer(string: properties)
        )
    }

    // MARK: The store's own work

    func flush(_ store: MessageStore) throws {
        do {
            try store.flushNow()
        } catch {
            model.hasFlushFailed = true
            throw error
        }
        if store.flushedOffset.rawValue != model.end {
            throw Violation(.flush, "\(store.flushedOffset) of \(model.end)")
        }
    }

    func fillZeros(_ store: MessageStore) throws {
        do {
            try store.log.zeroFillAhead()
        } catch {
            model.hasFlushFailed = true
            throw error
        }
    }

    func dispatch(_ store: MessageStore) throws {
        store.dispatchPending()
        let isSynchronous = configuration.flush == .synchronous
        let end = isSynchronous ? store.flushedOffset.rawValue : model.end
        if store.dispatchedOffset.rawValue < end {
            throw Violation(.dispatch, "\(store.dispatchedOffset) of \(end)")
        }
        if isSynchronous, store.dispatchedOffset > store.flushedOffset {
            throw Violation(.dispatch, "\(store.dispatchedOffset)")
        }
    }

    /// First copies to the end of the log what waits in old segments, as their owner would, or leaves it where it is.
    /// Flushing inside may fail, which is only logged.
    func keepHouse(_ store: MessageStore) throws {
        if random.below(2) == 0 { copyForward(store) }
        let oldest = model.waiting.values.filter { !$0.isDamaged }.map(\.logOffset).min() ?? .max
        keepFrom.value.withLock { $0 = oldest }
        let (flushed, failures) = (store.flushedOffset.rawValue, device.failures)
        store.keepHouse()
        if device.failures == failures { model.marked = max(model.marked, flushed) }
        if store.log.refusal?.code == .inputOutput { model.hasFlushFailed = true }
    }

    private func copyForward(_ store: MessageStore) {
        let limit = model.end - Int64(2 * configuration.segmentBytes)
        let old = model.waiting.filter { $0.value.logOffset < limit && !$0.value.isDamaged }
        for (number, record) in old.sorted(by: { $0.key < $1.key }) {
            let copy = Draft(queue: record.queue, kind: .waiting(number), id: draft(queue: record.queue).id)
            guard (try? append(store, [copy], isGroup: false, makesRoom: true)) != nil else { return }
        }
    }

    func deleteExpired(_ store: MessageStore) throws {
        for index in model.queues.indices where model.queues[index].isBare {
            model.queues[index].mayBeginAgain = true
        }
        try store.deleteExpiredQueues()
    }

    func deleteTopic(_ store: MessageStore) throws {
        let topic = Self.topics[random.below(3)]
        let end = store.appendedOffset.rawValue
        trail.amend(" \(topic)")
        do {
            try store.deleteQueues(ofTopic: topic)
        } catch {
            // It may have happened or not; only a new start tells. The log is flushed first, which may be what failed.
            if store.log.refusal != nil { model.hasFlushFailed = true }
            model.uncertainDeletion = (topic, end)
            try restart(random.below(2) == 0 || device.isPowerless ? .crash : .kill)
            return
        }
        model.delete(topic: topic, at: end)
    }
}
