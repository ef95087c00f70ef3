import Logging
import MQProtocol
import MQRemoting
import MQStore
import NIOCore
package import NIOPosix
import Synchronization

extension TransactionService {
    /// Most halves asked about in one go.
    static let checkLimit = 256
    private static let progressInterval = Duration.seconds(10)

    /// Asks producers about undecided halves as they become due, and notes progress, until cancelled.
    package func run(on threads: NIOThreadPool, clients: ClientTable) async {
        var nextProgress = time.now().advanced(by: Self.progressInterval)
        var known = ends
        while !Task.isCancelled {
            // The clock may have been set back.
            nextProgress = min(nextProgress, time.now().advanced(by: Self.progressInterval))
            let next = nextWake(by: nextProgress)
            wakeAt.store(next.milliseconds, ordering: .sequentiallyConsistent)
            // A half that arrived before the store above did not ring: look once more.
            await alarm.wait(until: min(next, nextWake(by: nextProgress)), by: time)
            wakeAt.store(.min, ordering: .sequentiallyConsistent)
            _ = try? await threads.runIfActive { self.checkDue(clients: clients) }
            if time.now() >= nextProgress {
                let before = known
                _ = try? await threads.runIfActive {
                    self.noteProgress(before)
                    self.saveCheckCounts()
                }
                known = ends
                nextProgress = time.now().advanced(by: Self.progressInterval)
            }
        }
    }

    /// When something is due, at the latest at `latest`. Decided halves leave their check times behind: looking at each
    /// would be a wake-up per transaction.
    private func nextWake(by latest: Timestamp) -> Timestamp {
        let soonest = time.now().advanced(by: .milliseconds(50))
        return min(max(table.withLock { $0.nextCheck } ?? latest, soonest), latest)
    }

    /// Sends the checks that are due.
    package func checkDue(clients: ClientTable) {
        let schedule = schedule
        while true {
            let now = time.now()
            let due = table.withLock { $0.takeDue(now: now, limit: Self.checkLimit) }
            for transaction in due { check(transaction, now: now, schedule: schedule, clients: clients) }
            guard due.count == Self.checkLimit else { return }
        }
    }

    private func check(
        _ transaction: HalfTable.Transaction,
        now: Timestamp,
        schedule: CheckSchedule,
        clients: ClientTable
    ) {
        let half = transaction.half
        guard transaction.isProven || settleLateCopy(half) else {
            return table.withLock { $0.notChecked(half, at: now, schedule: schedule) }
        }
        guard table.withLock({ $0.isUndecided(half) }) else { return }
        guard let producer = clients.producerConnection(group: half.group) else {
            return table.withLock { $0.notChecked(half, at: now, schedule: schedule) }
        }
        guard let record = store.record(at: half.logOffset).flatMap(StoredRecord.init),
            let body = checkBody(record, half, checks: transaction.checks)
        else {
            logger.error(
                "an undecided half message cannot be read",
                metadata: [
                    "offset": "\(half.logOffset.rawValue)", "group": "\(half.group)",
                ])
            return table.withLock { $0.notChecked(half, at: now, schedule: schedule) }
        }
        let offsetID = OffsetMessageID(host: record.view.storeHost, offset: half.logOffset).hex
        let header = CheckTransactionStateHeader(
            queueOffset: half.queueOffset, logOffset: half.logOffset, messageID: half.uniqueKey,
            transactionID: half.uniqueKey, offsetMessageID: offsetID
        )
        producer.oneWay(.checkTransactionState, header: header, body: body)
        let isLast = table.withLock { $0.checked(half, at: now, schedule: schedule) }
        if isLast { listAsUnresolved(record, half) }
    }

    /// The half as the producer knows it: real topic and queue, and the place where it lies.
    private func checkBody(_ record: StoredRecord, _ half: HalfMessage, checks: Int) -> ByteBuffer? {
        guard let place = record.realPlace else { return nil }
        var draft = record.draft(topic: place.topic, queueID: place.queueID)
        let limits = RecordLimits(maximumBodyBytes: Int(Int32.max))
        draft.properties.appendProperty(PropertyName.transactionCheckTimes, String(checks + 1))
        var body = ByteBuffer()
        if (try? body.writeRecord(draft, limits: limits)) == nil {
            // Stored by a broker that leaves no room: the count is for people only.
            draft.properties = record.properties
            guard (try? body.writeRecord(draft, limits: limits)) != nil else { return nil }
        }
        let start = body.readerIndex
        body.setInteger(half.queueOffset.rawValue, at: start + RecordLayout.queueOffset)
        body.setInteger(half.logOffset.rawValue, at: start + RecordLayout.physicalOffset)
        let timestamp = RecordLayout.storeTimestamp(draft.recordSysFlag)
        body.setInteger(record.view.storeTimestamp.milliseconds, at: start + timestamp)
        return body
    }

    /// Puts a copy where a person finds it with stock tools. The half itself stays undecided and takes a late verdict.
    private func listAsUnresolved(_ record: StoredRecord, _ half: HalfMessage) {
        logger.error(
            "nobody decides a half message: listed in \(SystemTopic.transactionCheckMaximum)",
            metadata: [
                "group": "\(half.group)", "key": "\(half.uniqueKey)", "offset": "\(half.logOffset.rawValue)",
            ])
        let topic = topics.ensure(SystemTopic.transactionCheckMaximum, queues: 1)
        var batch = store.makeBatch()
        let draft = record.draft(topic: topic.name, queueID: 0)
        do {
            _ = try batch.add(draft, to: topic.queue(0), isStoredAgain: true)
            try store.append(&batch)
        } catch {
            logger.error("the unresolved half message could not be listed", metadata: ["error": "\(error)"])
        }
    }
}
