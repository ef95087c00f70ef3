package import Logging
package import MQProtocol
package import MQStore
import NIOCore
import Synchronization

/// Delivers messages when they are due: the delay levels and 5.x's arbitrary delays, on one timer.
///
/// A level's messages are due in the order of its queue, so a level is one position in a queue and costs no memory. The
/// others stand in the wheel, which is rebuilt at start from the timer topic's queue. Positions and the wheel's
/// ``FiringWatermark`` are written every second, after what was delivered is durable: nothing is forgotten, and a crash
/// repeats at most what was delivered since the last write.
package final class DelayService: Sendable {
    /// Messages that one round delivers per level, and from the wheel.
    static let roundLimit = 512
    /// An append of deliveries ends with the message that brings it here.
    static let batchBytes = 4 << 20
    /// Pause after a delivery that the store refused.
    static let retryPause = Duration.milliseconds(100)

    struct Level: Sendable {
        /// From 1.
        var number: Int
        var queue: QueueRef
        /// The next entry of the level's queue to deliver.
        var next: QueueOffset
    }

    /// What the files say.
    struct Positions: Sendable {
        var levels: [Int32: Int64]
        var watermark: FiringWatermark
    }

    struct State: Sendable {
        var levels: [Level] = []
        var wheel = TimerWheel()
        /// The timer queue is armed up to here.
        var armedEnd = QueueOffset.zero
        var watermark = FiringWatermark()
        /// The end of what was stored in place of waiting messages.
        var delivered = LogOffset.zero
        /// Since the last positions were taken.
        var isChanged = false
        /// A message that seemed due waits on as a timer, and no note says so yet.
        var hasStagedAgain = false
        var unwritten = DurableNote<Positions>()
        /// When the next refusal of the store is worth a line in the log.
        var nextRefusalNote = Timestamp.zero

        mutating func takeStagedAgain() -> Bool {
            defer { hasStagedAgain = false }
            return hasStagedAgain
        }
    }

    let store: MessageStore
    let topics: TopicTable
    let time: TimeSource
    let logger: Logger
    let files: DelayFiles
    let delayLevels: DelayLevels
    let timerQueue: QueueRef
    let state: Mutex<State>
    /// Held through one round of deliveries and through one copy forward: the two never work on the same message.
    let round = Mutex(())
    /// Held while the files are written: the service does that, and retention.
    let writing = Mutex(())
    let alarm = Alarm()
    /// When the service wakes by itself; an earlier arrival rings.
    let wakeAt = Atomic<Int64>(.min)

    package init(
        store: MessageStore, topics: TopicTable, levels: DelayLevels, files: DelayFiles, time: TimeSource,
        logger: Logger
    ) {
        self.store = store
        self.topics = topics
        self.time = time
        self.logger = logger
        self.files = files
        self.delayLevels = levels
        self.timerQueue = store.queue(SystemTopic.timerWheel, 0)
        // Those of levels that are no longer configured too: what waits in them knows when it is due.
        let configured = (0..<Int32(levels.maximum)).map { store.queue(SystemTopic.schedule, $0) }
        let others = store.queues(ofTopic: SystemTopic.schedule).filter { Int($0.queueID) >= levels.maximum }
        let queues = configured + others
        self.state = Mutex(State(levels: queues.map { Level(number: Int($0.queueID) + 1, queue: $0, next: .zero) }))
    }

    /// Every queue whose arrivals this service wants to hear of.
    package var queues: [QueueRef] { state.withLock { $0.levels.map(\.queue) } + [timerQueue] }

    /// Pending arbitrary timers.
    package var pendingTimers: Int { state.withLock { $0.wheel.count } }

    /// The next offsets per level, as `delayOffset.json` and request 45 have them. Levels without progress are absent.
    package func levelOffsets() -> [Int32: Int64] {
        Self.offsets(state.withLock { $0.levels })
    }

    static func offsets(_ levels: [Level]) -> [Int32: Int64] {
        var offsets: [Int32: Int64] = [:]
        for level in levels where level.next > .zero { offsets[Int32(level.number)] = level.next.rawValue }
        return offsets
    }

    // MARK: Arming

    /// Takes up what the files say and arms what the timer queue still holds. Before the first arrival.
    package func load() throws(StoreError) {
        let offsets = try files.loadLevelOffsets()
        let stored = try files.loadWatermark()
        let watermark = stored.limited(to: store.maximumOffset(of: timerQueue), log: store.appendedOffset)
        let isLimited = state.withLock { state in
            state.watermark = watermark
            var isLimited = watermark != stored
            for index in state.levels.indices {
                let queue = state.levels[index].queue
                let stored = QueueOffset(rawValue: offsets[Int32(state.levels[index].number)] ?? 0)
                let (minimum, end) = (max(store.minimumOffset(of: queue), .zero), store.maximumOffset(of: queue))
                state.levels[index].next = min(max(stored, minimum), end)
                if stored > end { isLimited = true }
            }
            return isLimited
        }
        if isLimited { saveLimited() }
        try armStoredTimers(watermark)
    }

    /// Positions behind the ends of their queues are taken back on the disk at once, in both versions of the files: the
    /// next start would believe them, and skip what came meanwhile.
    private func saveLimited() {
        let (levels, watermark) = state.withLock { (Self.offsets($0.levels), $0.watermark) }
        do throws(StoreError) {
            for _ in 0..<2 {
                try files.save(levelOffsets: levels)
                try files.save(watermark: watermark)
            }
        } catch {
            state.withLock { $0.isChanged = true }
            logger.warning("delay positions behind their queues' ends were taken back, but not written: \(error)")
        }
    }

    private func armStoredTimers(_ watermark: FiringWatermark) throws(StoreError) {
        var position = max(store.minimumOffset(of: timerQueue), .zero)
        let end = store.maximumOffset(of: timerQueue)
        let plausible = plausibleDues
        while position < end {
            let entries = try store.entries(of: timerQueue, from: position, count: 4096)
            guard !entries.isEmpty else { break }
            let dues = entries.map { plausible.contains($0.tagsCode) ? $0.tagsCode : recordedDue($0) }
            state.withLock { state in
                for (index, entry) in entries.enumerated() where entry.hasPlace {
                    let due = Timestamp(milliseconds: dues[index])
                    if watermark.covers(due: due, at: position + index, logOffset: entry.logOffset) { continue }
                    state.wheel.arm(.init(due: dues[index], logOffset: entry.logOffset, size: entry.size))
                }
            }
            position = position + entries.count
        }
        state.withLock { $0.armedEnd = position }
    }

    /// When timers of the log can be due: its oldest record was due no earlier than it was stored, but for a day. An
    /// entry has no checksum: one that says otherwise is damaged, and its record tells.
    private var plausibleDues: ClosedRange<Int64> {
        let now = time.now()
        let oldest = min(store.earliestStoreTimestamp ?? now, now).advanced(by: .seconds(-86_400))
        let latest = now.advanced(by: DelayRequest.longest).advanced(by: CommitLog.maximumLead)
        return oldest.milliseconds...latest.milliseconds
    }

    private func recordedDue(_ entry: QueueEntry) -> Int64 {
        let record = store.record(at: entry.recordOffset).flatMap(StoredRecord.init)
        return record?.integerProperty(PropertyName.timerOutMilliseconds) ?? entry.tagsCode
    }

    /// A record became readable in a delay topic. On the store's dispatcher thread.
    package func arrived(_ arrival: Arrival) {
        if arrival.queue === timerQueue {
            state.withLock { state in
                guard arrival.queueOffset >= state.armedEnd else { return }
                state.wheel.arm(.init(due: arrival.tagsCode, logOffset: arrival.logOffset, size: arrival.size))
                state.armedEnd = arrival.queueOffset + 1
            }
        }
        if arrival.tagsCode < wakeAt.load(ordering: .sequentiallyConsistent) { alarm.ring() }
    }
}
