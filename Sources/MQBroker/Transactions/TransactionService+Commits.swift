import Logging
import MQProtocol
import MQStore
import NIOCore
import Synchronization

/// Halves whose committed message is in the log and whose op record is not: it was at the torn end of the log, or a
/// stock broker failed to write it. They were delivered: asking for a verdict, or taking a rollback, would be wrong.
extension TransactionService {
    /// So much of the end of the log is read; what lies before it is left to the index as far as that goes.
    private static let scannedBytes: Int64 = 256 << 20

    /// Ends them, and writes what is missing, after the queues were read and before the first check or verdict.
    func endCommitted(host: HostAddress) {
        let found = committed(among: table.withLock { $0.all }.map(\.half))
        guard !found.isEmpty else { return }
        if settings.configuration.role != .slave { writeOps(found, host: host) }
        for half in found {
            logger.notice(
                "a half message without an op record was committed before",
                metadata: ["group": "\(half.group)", "key": "\(half.uniqueKey)", "offset": "\(half.logOffset)"])
            _ = table.withLock { $0.ended(half, .commit) }
        }
    }

    /// Those of the halves that a record in the log commits.
    func committed(among halves: [HalfMessage], scanning bytes: Int64 = scannedBytes) -> [HalfMessage] {
        guard !halves.isEmpty else { return [] }
        let start = scanStart(halves, bytes)
        var keys = Set(commits(from: start, of: halves))
        for half in halves where half.logOffset < start || half.earlierChecks > 0 {
            if !keys.contains(HalfTable.Key(half)), isCommittedByIndex(half) { keys.insert(HalfTable.Key(half)) }
        }
        return halves.filter { keys.contains(HalfTable.Key($0)) }
    }

    /// Where a record begins: at the oldest of the halves close to the end or without a key, or where the index ends.
    private func scanStart(_ halves: [HalfMessage], _ bytes: Int64) -> LogOffset {
        let near = store.appendedOffset.rawValue - bytes
        let scanned = halves.filter { $0.logOffset.rawValue >= near || $0.uniqueKey.isEmpty }.map(\.logOffset)
        let start = min(scanned.min() ?? store.appendedOffset, store.indexedOffset ?? .zero)
        // A copy may be younger than the committed message.
        guard !halves.contains(where: { $0.earlierChecks > 0 }) else { return start }
        return max(start, halves.map(\.logOffset).min() ?? start)
    }

    private func commits(from start: LogOffset, of halves: [HalfMessage]) -> [HalfTable.Key] {
        let uniqueKeys = Set(halves.map(\.uniqueKey))
        let wanted = Dictionary(halves.map { (HalfTable.Key($0), $0.sent) }, uniquingKeysWith: min)
        var found: [HalfTable.Key] = []
        store.forEachRecord(from: start) { record, bytes in
            guard record.sysFlag.transactionType == .commit else { return }
            let range = PropertyScan.value(of: PropertyName.uniqueKey, in: bytes, range: record.propertiesRange)
            let uniqueKey = range.map { String(copying: bytes, $0) } ?? ""
            guard uniqueKeys.contains(uniqueKey), let half = half(at: record.preparedTransactionOffset),
                half.uniqueKey == uniqueKey, let sent = wanted[HalfTable.Key(half)], record.bornTimestamp >= sent
            else { return }
            found.append(HalfTable.Key(half))
        }
        return found
    }

    private func half(at offset: LogOffset) -> HalfMessage? {
        guard let record = store.record(at: offset).flatMap(StoredRecord.init), record.topic == SystemTopic.half else {
            return nil
        }
        return HalfRecord.summary(record, at: offset, queueOffset: record.view.queueOffset)
    }

    private func isCommittedByIndex(_ half: HalfMessage) -> Bool {
        guard !half.uniqueKey.isEmpty, let record = store.record(at: half.logOffset).flatMap(StoredRecord.init) else {
            return false
        }
        return isCommitted(record, key: half.uniqueKey, from: .zero, sent: half.sent)
    }

    private func writeOps(_ halves: [HalfMessage], host: HostAddress) {
        do {
            var batch = store.makeBatch()
            var body = ByteBuffer()
            for half in halves {
                let op = HalfRecord.op(half, verdict: .commit, host: host, now: time.now(), body: &body)
                try batch.add(op, to: opQueue)
            }
            try store.append(&batch)
        } catch {
            logger.warning("missing op records were not written", metadata: ["error": "\(error)"])
        }
    }
}

extension String {
    fileprivate init(copying bytes: Span<UInt8>, _ range: Range<Int>) {
        self.init(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
}
