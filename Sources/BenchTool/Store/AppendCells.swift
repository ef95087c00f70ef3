import Histogram
import MQProtocol
import MQStore
import NIOCore

/// Appends: as fast as they go, and with a flush that everyone waits for.
struct AppendCells {
    let root: String
    let seconds: Double
    static let bodyBytes = 1024

    /// Without waiting for the disk; the threads of the store run.
    func append(batch count: Int) throws -> [StoreFigure] {
        var store = BenchStore(directory: "\(root)/append-\(count)")
        store.flush = .asynchronous(interval: .milliseconds(500))
        return try store.running { store in
            let queue = store.queue(BenchStore.topic, 0)
            let draft = BenchStore.draft(bodyBytes: Self.bodyBytes)
            var batch = store.makeBatch()
            var records = 0
            let begun = Stopwatch.nanoseconds
            let limit = begun + UInt64(seconds * 1e9)
            // Beyond, the disk is measured and not the path to it.
            while Stopwatch.nanoseconds < limit, records < 200_000 {
                for _ in 0..<count { try batch.add(draft, to: queue) }
                try store.append(&batch)
                batch.removeAll()
                records += count
            }
            let rate = Double(records) / (Double(Stopwatch.nanoseconds - begun) / 1e9)
            return [StoreFigure(name: "append, \(count) a call", value: rate, unit: "records/s")]
        }
    }

    /// Acknowledgements per second with so many senders, each of whom waits for the disk before it sends again: one
    /// thread appends for all, as an event loop does.
    func acknowledged(waiters: Int) throws -> [StoreFigure] {
        let wakeup = Wakeup()
        let observer = StoreObserver(flushed: { _ in wakeup.signal() }, flushFailed: { _ in wakeup.signal() })
        // Before the store: its zeros would take the disk's time from the limit.
        let bare = try GroupCommitLimit(directory: root, seconds: seconds / 2).recordsPerSecond(
            waiters: waiters, recordBytes: BenchStore.recordBytes(bodyBytes: Self.bodyBytes))
        let store = BenchStore(directory: "\(root)/sync-\(waiters)")
        return try store.running(observer) { store in
            var senders = Senders(store, waiters: waiters)
            try senders.run(seconds: 0.3, wakeup)
            senders.reset()
            let passed = try senders.run(seconds: seconds, wakeup)
            return [
                StoreFigure(
                    name: "acknowledged, \(waiters) waiters", value: Double(senders.acknowledged) / passed,
                    unit: "records/s"),
                StoreFigure(name: "bare group commit, \(waiters) waiters", value: bare, unit: "records/s"),
            ]
        }
    }

    /// How long the caller of an append is held while 64 senders keep the disk busy and files of 64 MiB fill up.
    func latency() throws -> [StoreFigure] {
        let wakeup = Wakeup()
        let observer = StoreObserver(flushed: { _ in wakeup.signal() }, flushFailed: { _ in wakeup.signal() })
        let store = BenchStore(directory: "\(root)/roll", segmentBytes: 64 << 20)
        return try store.running(observer) { store in
            var senders = Senders(store, waiters: 64)
            try senders.run(seconds: 0.5, wakeup)
            senders.reset()
            try senders.run(seconds: max(seconds, 3), wakeup)
            return [
                StoreFigure(
                    name: "append under load, p99", value: Double(senders.appends.valueAtPercentile(99)) / 1000,
                    unit: "us", places: 1),
                StoreFigure(
                    name: "append under load, longest", value: Double(senders.appends.max) / 1000, unit: "us",
                    places: 1),
                StoreFigure(
                    name: "acknowledgement under load, p99",
                    value: Double(senders.answers.valueAtPercentile(99)) / 1000, unit: "us", places: 1),
                StoreFigure(
                    name: "longest append around a roll", value: Double(senders.longestAtRoll) / 1000, unit: "us",
                    places: 1),
                StoreFigure(name: "rolls", value: Double(senders.rolls), unit: "files"),
            ]
        }
    }
}

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

    init(_ store: MessageStore, waiters: Int) {
        self.store = store
        self.waiters = waiters
        queue = store.queue(BenchStore.topic, 0)
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
    mutating func run(seconds: Double, _ wakeup: Wakeup) throws -> Double {
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
            while store.flushedOffset < end {
                guard wakeup.wait(timeout: .seconds(10)) else { throw BenchError("no flush within 10 s") }
            }
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
