import Histogram
import MQProtocol
import MQStore
import Synchronization

/// Senders that each wait for the disk, served by the calling thread.
struct Senders {
    private let store: MessageStore
    private let waiters: Int
    private let queue: QueueRef
    private let draft = BenchStore.draft(bodyBytes: AppendCells.bodyBytes)
    private var batch: AppendBatch
    private(set) var acknowledged = 0
    private(set) var appends = Self.histogram
    private(set) var answers = Self.histogram
    private(set) var rolls = 0
    /// Of the appends that went into a new file or followed within 16.
    private(set) var longestAtRoll: UInt64 = 0
    private var sinceRoll = Int.max
    private var recent: [UInt64] = []

    private static var histogram: Histogram<UInt64> {
        Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }

    init(_ store: MessageStore, waiters: Int, queueID: Int32 = 0) {
        self.store = store
        self.waiters = waiters
        queue = store.queue(BenchStore.topic, queueID)
        batch = store.makeBatch()
    }

    mutating func reset() {
        acknowledged = 0
        appends.reset()
        answers.reset()
        rolls = 0
        longestAtRoll = 0
    }

    /// - Returns: the seconds it took.
    @discardableResult
    mutating func run(seconds: Double, _ wait: FlushWait) throws -> Double {
        let begun = Stopwatch.nanoseconds
        let limit = begun + UInt64(seconds * 1e9)
        var now = begun
        while now < limit {
            let before = store.appendedOffset
            for _ in 0..<waiters { try batch.add(draft, to: queue) }
            let start = Stopwatch.nanoseconds
            try store.append(&batch)
            note(Stopwatch.nanoseconds - start, from: before, to: store.appendedOffset)
            let end = batch.end
            batch.removeAll()
            store.wakeFlusher()
            try wait.until(end, in: store)
            now = Stopwatch.nanoseconds
            _ = answers.record(now - start)
            acknowledged += waiters
        }
        return Double(now - begun) / 1e9
    }

    private mutating func note(_ nanoseconds: UInt64, from: LogOffset, to: LogOffset) {
        _ = appends.record(nanoseconds)
        let segment = Int64(store.configuration.segmentBytes)
        if from.rawValue / segment != to.rawValue / segment {
            rolls += 1
            sinceRoll = 0
            longestAtRoll = max(longestAtRoll, recent.max() ?? 0)
        }
        if sinceRoll < 16 {
            sinceRoll += 1
            longestAtRoll = max(longestAtRoll, nanoseconds)
        }
        recent.append(nanoseconds)
        if recent.count > 16 { recent.removeFirst() }
    }
}

/// Senders served by several threads.
struct SenderTeam: Sendable {
    let store: MessageStore
    let waiters: Int
    /// One for each thread.
    let waits: [FlushWait]

    /// - Returns: acknowledgements per second.
    func run(seconds: Double) throws -> Double {
        let outcomes = Mutex<[Result<Int, any Error>]>([])
        let threads = waits.enumerated().map { index, wait in
            StoreThread(name: "senders") {
                let outcome = Result { try self.serve(index, wait, seconds) }
                outcomes.withLock { $0.append(outcome) }
            }
        }
        let passed = try Stopwatch.seconds {
            for thread in threads { try thread.start() }
            for thread in threads { thread.join() }
        }
        let acknowledged = try outcomes.withLock { try $0.reduce(0) { try $0 + $1.get() } }
        return Double(acknowledged) / passed
    }

    private func serve(_ index: Int, _ wait: FlushWait, _ seconds: Double) throws -> Int {
        let share = waiters / waits.count + (index < waiters % waits.count ? 1 : 0)
        var senders = Senders(store, waiters: share, queueID: Int32(index))
        try senders.run(seconds: seconds, wait)
        return senders.acknowledged
    }
}

/// Where one thread waits for the disk; it is woken when that has what the thread waits for.
final class FlushWait: Sendable {
    private let wanted = Atomic<Int64>(.max)
    private let wakeup = Wakeup()

    static func observer(_ waits: [FlushWait]) -> StoreObserver {
        StoreObserver(
            flushed: { end in for wait in waits { wait.note(end) } },
            flushFailed: { _ in for wait in waits { wait.wakeup.signal() } })
    }

    private func note(_ end: LogOffset) {
        if end.rawValue >= wanted.load(ordering: .sequentiallyConsistent) { wakeup.signal() }
    }

    func until(_ end: LogOffset, in store: MessageStore) throws {
        wanted.store(end.rawValue, ordering: .sequentiallyConsistent)
        defer { wanted.store(.max, ordering: .sequentiallyConsistent) }
        while store.flushedOffset < end {
            guard wakeup.wait(timeout: .seconds(10)) else { throw BenchError("no flush within 10 s") }
        }
    }
}
