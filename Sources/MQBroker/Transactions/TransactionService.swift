package import Logging
package import MQProtocol
package import MQStore
import NIOCore
import NIOPosix
import Synchronization

/// The broker's half messages: what is undecided, what was decided, and the check-backs.
///
/// The log is the truth: an op record ends a half. This table is rebuilt from the two queues at start, from the
/// progress in ``CheckCounts``, or from what ``OffsetTable`` has under RocketMQ's own system group for stock brokers.
package final class TransactionService: Sendable {
    let store: MessageStore
    let topics: TopicTable
    let offsets: OffsetTable
    let settings: BrokerSettings
    /// ``CheckCounts``.
    let checkFile: SideFile
    let time: TimeSource
    let logger: Logger
    package let halfQueue: QueueRef
    package let opQueue: QueueRef
    let table = Mutex(HalfTable())
    /// What the file holds.
    let savedCounts = Mutex(CheckCounts())
    /// The progress as it was noted last in this run.
    let noted = Mutex<CheckCounts.Progress?>(nil)
    let unnoted = Mutex(DurableNote<CheckCounts.Progress>())
    let alarm = Alarm()
    /// When the checks wake by themselves; a half that is due earlier rings.
    let wakeAt = Atomic<Int64>(.min)

    package init(
        store: MessageStore,
        topics: TopicTable,
        offsets: OffsetTable,
        settings: BrokerSettings,
        checkFile: SideFile,
        time: TimeSource,
        logger: Logger
    ) {
        self.store = store
        self.topics = topics
        self.offsets = offsets
        self.settings = settings
        self.checkFile = checkFile
        self.time = time
        self.logger = logger
        halfQueue = store.queue(SystemTopic.half, 0)
        opQueue = store.queue(SystemTopic.opHalf, 0)
    }

    var schedule: CheckSchedule {
        let transactions = settings.current.configuration.transactions
        return CheckSchedule(
            timeout: transactions.timeout, interval: transactions.checkInterval,
            maximumChecks: transactions.maximumChecks
        )
    }

    package var undecidedCount: Int { table.withLock { $0.undecidedCount } }
    package var unresolvedCount: Int { table.withLock { $0.unresolvedCount } }
    package var refusedOpposites: Int { table.withLock { $0.refusedOpposites } }
    package var undecided: [HalfTable.Transaction] { table.withLock { $0.all } }

    // MARK: Halves

    /// A half message is in the log.
    ///
    /// - Parameter floor: the op queue's end before the half was appended. Read later, it could lie behind the op
    ///   record of a half that follows this one, and a start that begins there would not find that.
    package func arrived(_ half: HalfMessage, opFloor floor: QueueOffset) {
        let schedule = schedule
        let now = time.now()
        table.withLock { $0.arrived(half, opFloor: floor, now: now, schedule: schedule) }
        let due = schedule.firstCheck(of: half, now: now)
        if due.milliseconds < wakeAt.load(ordering: .sequentiallyConsistent) { alarm.ring() }
    }

    package func decide(_ verdict: Verdict, _ end: EndTransaction) -> HalfTable.Decision {
        table.withLock { $0.decide(verdict, at: end.logOffset, queueOffset: end.queueOffset, group: end.group) }
    }

    /// The same for a verdict whose place is not known: see ``HalfTable/decide(_:copyOf:sent:)``.
    func decide(_ verdict: Verdict, _ end: EndTransaction, sent: Timestamp?) -> HalfTable.Decision? {
        let key = HalfTable.Key(group: end.group, uniqueKey: end.uniqueKey)
        return table.withLock { $0.decide(verdict, copyOf: key, sent: sent) }
    }

    /// Counts a verdict on a half whose final verdict was read in the log.
    func settle(_ verdict: Verdict, against final: Verdict) -> HalfTable.Decision {
        table.withLock { $0.settle(verdict, against: final) }
    }

    package func stored(_ half: HalfMessage, verdict: Verdict) {
        table.withLock { $0.stored(half, verdict: verdict) }
    }

    package func notStored(_ half: HalfMessage) {
        table.withLock { $0.notStored(half) }
    }

    /// Starts the checks of a half over (request 323).
    package func resume(at offset: LogOffset) -> Bool {
        let isResumed = table.withLock { $0.resume(at: offset, now: time.now()) }
        if isResumed { alarm.ring() }
        return isResumed
    }

    /// The same for the half that the record is a copy of.
    func resume(copyOf record: StoredRecord) -> Bool {
        guard let group = record.property(PropertyName.producerGroup),
            let uniqueKey = record.property(PropertyName.uniqueKey)
        else { return false }
        let isResumed = table.withLock { $0.resume(group: group, uniqueKey: uniqueKey, now: time.now()) }
        if isResumed { alarm.ring() }
        return isResumed
    }
}

/// What a producer says about a transaction.
package struct EndTransaction: Sendable {
    package var logOffset: LogOffset
    package var queueOffset: QueueOffset
    package var group: String
    package var uniqueKey: String

    package init(logOffset: LogOffset, queueOffset: QueueOffset, group: String, uniqueKey: String) {
        self.logOffset = logOffset
        self.queueOffset = queueOffset
        self.group = group
        self.uniqueKey = uniqueKey
    }
}
