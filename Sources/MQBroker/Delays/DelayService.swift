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
        var unwritten = DurableNote<Positions>()
        /// When the next refusal of the store is worth a line in the log.
        var nextRefusalNote = Timestamp.zero
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
        let watermark = try files.loadWatermark()
        state.withLock { state in
            state.watermark = watermark
            for index in state.levels.indices {
                let queue = state.levels[index].queue
                let stored = QueueOffset(rawValue: offsets[Int32(state.levels[index].number)] ?? 0)
                let minimum = max(store.minimumOffset(of: queue), .zero)
                state.levels[index].next = min(max(stored, minimum), store.maximumOffset(of: queue))
            }
        }
        armStoredTimers(watermark)
    }

    private func armStoredTimers(_ watermark: FiringWatermark) {
        var position = max(store.minimumOffset(of: timerQueue), .zero)
        let end = store.maximumOffset(of: timerQueue)
        while position < end {
            let entries = store.entries(of: timerQueue, from: position, count: 4096)
            guard !entries.isEmpty else { break }
            state.withLock { state in
                for (index, entry) in entries.enumerated() {
                    let due = Timestamp(milliseconds: entry.tagsCode)
                    if watermark.covers(due: due, at: position + index, logOffset: entry.logOffset) { continue }
                    state.wheel.arm(.init(due: entry.tagsCode, logOffset: entry.logOffset, size: entry.size))
                }
            }
            position = position + entries.count
        }
        state.withLock { $0.armedEnd = position }
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
