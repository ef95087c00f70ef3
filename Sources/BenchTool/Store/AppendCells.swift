import Foundation
import Histogram
import MQProtocol
import MQStore
import NIOCore

/// Appends: as fast as they go, and with a flush that everyone waits for.
struct AppendCells {
    let root: String
    let seconds: Double
    static let bodyBytes = 1024
    private static let rounds = 3

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

    /// Acknowledgements per second with so many senders, each of whom waits for the disk before it sends again; two
    /// threads append for all, as the event loops of a broker on two cores do.
    ///
    /// The disk's own limit is measured in between: disks differ from minute to minute, neighbours do not.
    func acknowledged(waiters: Int) throws -> [StoreFigure] {
        let waits = (0..<min(2, waiters)).map { _ in FlushWait() }
        let bare = try BareLog(directory: root)
        let recordBytes = try BenchStore.recordBytes(bodyBytes: Self.bodyBytes)
        let store = BenchStore(directory: "\(root)/sync-\(waiters)")
        return try store.running(FlushWait.observer(waits)) { store in
            let team = SenderTeam(store: store, waiters: waiters, waits: waits)
            _ = try team.run(seconds: 0.3)
            var rounds: [(own: Double, single: Double, whole: Double)] = []
            for _ in 0..<Self.rounds {
                // The zeros ahead of the log: they would take the disk's time from the limit.
                Thread.sleep(forTimeInterval: 0.3)
                let single = try bare.recordsPerSecond(
                    waiters: waiters, recordBytes: recordBytes, inOneWrite: false, seconds: seconds / 3)
                let whole = try bare.recordsPerSecond(
                    waiters: waiters, recordBytes: recordBytes, inOneWrite: true, seconds: seconds / 3)
                rounds.append((try team.run(seconds: seconds), single, whole))
            }
            func figure(_ name: String, _ values: [Double]) -> StoreFigure {
                StoreFigure(name: "\(name), \(waiters) waiters", value: median(values), unit: "records/s")
            }
            var share = figure("share of the bare group commit", rounds.map { $0.own / $0.single })
            (share.unit, share.places) = ("", 2)
            return [
                figure("acknowledged", rounds.map(\.own)),
                figure("bare group commit", rounds.map(\.single)),
                figure("bare group commit in one write", rounds.map(\.whole)),
                share,
            ]
        }
    }

    /// How long the caller of an append is held while 64 senders keep the disk busy and files of 64 MiB fill up.
    func latency() throws -> [StoreFigure] {
        let wait = FlushWait()
        let store = BenchStore(directory: "\(root)/roll", segmentBytes: 64 << 20)
        return try store.running(FlushWait.observer([wait])) { store in
            var senders = Senders(store, waiters: 64)
            try senders.run(seconds: 0.5, wait)
            senders.reset()
            try senders.run(seconds: max(seconds, 3), wait)
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
