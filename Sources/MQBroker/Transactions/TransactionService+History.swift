import Logging
import MQProtocol
import MQStore
import Synchronization

/// What the log says about transactions that the table does not remember. Reads log and index, and may wait for the
/// disk: not for event loops.
extension TransactionService {
    /// What became of a half message, as the log tells it.
    enum History: Sendable, Equatable {
        case decided(Verdict)
        /// A later copy of it waits. Sent nil: nothing lies at the place any more.
        case undecided(sent: Timestamp?)
        /// There is no half message at that place.
        case noHalf
        case wrongGroup
        case wrongQueueOffset
        /// The log does not tell yet, or no more: nothing is guessed.
        case notYet(String)
    }

    /// Op records read, behind the half, in search of one that has no key: by a stock broker, or without an index.
    private static let maximumOps = 200_000
    /// Times in the index are whole seconds, rounded down.
    private static let indexTimeStep = Duration.seconds(1)
    /// Lag of the index that is worth waiting for.
    private static let shortLag: Int64 = 16 << 20

    /// For a verdict on a place that is not in the table. Everything undecided is there, by its key: what else is found
    /// was decided.
    func history(of end: EndTransaction) -> History {
        guard let half = store.record(at: end.logOffset).flatMap(StoredRecord.init), half.topic == SystemTopic.half
        else { return isUndecided(end, sent: nil) ? .undecided(sent: nil) : .noHalf }
        guard half.property(PropertyName.producerGroup) == end.group else { return .wrongGroup }
        guard half.view.queueOffset == end.queueOffset else { return .wrongQueueOffset }
        let sent = half.view.bornTimestamp
        if half.property(PropertyName.uniqueKey) == end.uniqueKey, isUndecided(end, sent: sent) {
            return .undecided(sent: sent)
        }
        guard let final = verdict(on: half, at: end.logOffset) else {
            return .notYet("the log does not tell at this moment what became of the transaction")
        }
        table.withLock { $0.remember(end.logOffset, final) }
        return .decided(final)
    }

    private func isUndecided(_ end: EndTransaction, sent: Timestamp?) -> Bool {
        let key = HalfTable.Key(group: end.group, uniqueKey: end.uniqueKey)
        return table.withLock { $0.undecidedHalf(key, sent: sent) } != nil
    }

    /// Whether a half that was just found due is a late copy of one that was decided; then it ends as that did.
    ///
    /// The table knows the keys of the transactions decided lately; the index knows them all. Without an index, a copy
    /// that comes later than that is a transaction of its own: its producer is asked and answers as the first time.
    ///
    /// - Returns: false when the question cannot be answered yet.
    func settleLateCopy(_ half: HalfMessage) -> Bool {
        guard !half.uniqueKey.isEmpty, let indexed = store.indexedOffset else { return true }
        guard indexed > half.logOffset else { return false }
        let known = Set(table.withLock { $0.places(of: half) })
        // What was sent before the first of its copies is an earlier transaction with its key.
        for (offset, copy) in copies(of: half) where !known.contains(offset) && copy.view.bornTimestamp >= half.sent {
            guard let final = verdict(on: copy, at: offset) else { continue }
            logger.notice(
                "a half message that arrived after the verdict on its transaction ends with it",
                metadata: ["group": "\(half.group)", "key": "\(half.uniqueKey)", "verdict": "\(final.text)"])
            return table.withLock { $0.endedLate(half, final) }
        }
        table.withLock { $0.proven(half) }
        return true
    }

    /// The half records of a transaction, wherever they are in the log.
    private func copies(of half: HalfMessage) -> [(LogOffset, StoredRecord)] {
        found(topic: SystemTopic.half, key: half.uniqueKey, from: .zero).compactMap { record in
            let isCopy =
                record.property(PropertyName.uniqueKey) == half.uniqueKey
                && record.property(PropertyName.producerGroup) ?? "" == half.group
            return isCopy ? (record.view.physicalOffset, record) : nil
        }
    }

    // MARK: The verdict on a half that is not undecided

    /// Nil when neither index nor op queue tells it.
    private func verdict(on half: StoredRecord, at offset: LogOffset) -> Verdict? {
        if let key = half.property(PropertyName.uniqueKey), isIndexComplete() {
            if isCommitted(half, key: key, from: half.view.storeTimestamp) { return .commit }
            if isRolledBack(half, key: key) { return .rollback }
        }
        return opVerdict(on: half, at: offset)
    }

    /// Whether the index has everything that is in the log now, or will have it in a moment.
    private func isIndexComplete() -> Bool {
        let end = store.readableOffset
        guard var indexed = store.indexedOffset else { return false }
        if indexed < end, end - indexed < Self.shortLag {
            store.dispatch(upTo: end)
            indexed = store.indexedOffset ?? .zero
        }
        return indexed >= end
    }

    /// - Parameters:
    ///   - begin: no committed message is older.
    ///   - sent: one whose half was sent before it, by the producer's clock, is of an earlier transaction.
    func isCommitted(
        _ half: StoredRecord, key: String, from begin: Timestamp, sent: Timestamp = Timestamp(milliseconds: .min)
    ) -> Bool {
        guard let topic = half.realPlace?.topic else { return false }
        let group = half.property(PropertyName.producerGroup)
        // A committed message that asked for a delay may still wait for it.
        return [topic, SystemTopic.schedule, SystemTopic.timerWheel].contains { topic in
            found(topic: topic, key: key, from: begin).contains { record in
                record.view.sysFlag.transactionType == .commit && record.property(PropertyName.uniqueKey) == key
                    && record.property(PropertyName.producerGroup) == group && record.view.bornTimestamp >= sent
            }
        }
    }

    /// Op records of rollbacks bear the key of their half message: nothing else in the log would tell of them.
    private func isRolledBack(_ half: StoredRecord, key: String) -> Bool {
        let group = half.property(PropertyName.producerGroup)
        return found(topic: SystemTopic.opHalf, key: key, from: half.view.storeTimestamp).contains { record in
            record.property(PropertyName.uniqueKey) == key && record.property(PropertyName.producerGroup) == group
        }
    }

    private func found(topic: String, key: String, from begin: Timestamp) -> [StoredRecord] {
        let begin = max(.zero, begin.advanced(by: .zero - Self.indexTimeStep))
        let result = store.query(
            topic: topic, key: key, maximum: 64, begin: begin, end: Timestamp(milliseconds: .max)
        )
        return result.records.compactMap(StoredRecord.init)
    }

    /// Reads the op records behind the half for one that names it.
    private func opVerdict(on half: StoredRecord, at offset: LogOffset) -> Verdict? {
        let wanted = half.view.queueOffset
        var position = store.firstOffset(of: opQueue, atOrAbove: offset) ?? store.minimumOffset(of: opQueue)
        let end = min(store.maximumOffset(of: opQueue), position + Self.maximumOps)
        while position < end {
            guard let entries = try? store.entries(of: opQueue, from: position, count: 1024), !entries.isEmpty else {
                return nil
            }
            for entry in entries {
                guard let op = store.record(at: entry.recordOffset).flatMap(StoredRecord.init),
                    HalfRecord.endedOffsets(op).contains(wanted)
                else { continue }
                // A stock broker's op record does not say which verdict it stands for.
                return HalfRecord.verdict(of: op) ?? stockVerdict(on: half)
            }
            position = position + entries.count
        }
        return nil
    }

    /// With a complete index that does not know the committed message, there is none.
    private func stockVerdict(on half: StoredRecord) -> Verdict? {
        guard let key = half.property(PropertyName.uniqueKey), isIndexComplete() else { return nil }
        return isCommitted(half, key: key, from: half.view.storeTimestamp) ? .commit : .rollback
    }
}
