import MQProtocol
import MQStore
import NIOCore

/// Pulls of what is in memory, and starts after a crash.
struct ReadCells {
    let root: String
    static let bodyBytes = 1024

    /// Pulls of 32 from eight queues, 256 MiB in all, and single records by their offset.
    func read() throws -> [StoreFigure] {
        let store = try BenchStore(directory: "\(root)/read").open()
        try BenchStore.fill(store, bytes: 256 << 20, bodyBytes: Self.bodyBytes)
        store.dispatchPending()
        var messages = 0
        var bytes = 0
        var offsets: [LogOffset] = []
        var buffer = ByteBuffer()
        let pulling = Stopwatch.seconds {
            for queueID in 0..<Int32(8) {
                let queue = store.queue(BenchStore.topic, queueID)
                var offset = QueueOffset.zero
                while true {
                    let selection = store.select(
                        queue, from: offset, maximumCount: 32, limits: PullLimits(), filter: .all)
                    guard case .found = selection.status else { break }
                    buffer.clear()
                    bytes += store.copy(selection, into: &buffer)
                    messages += Int(selection.nextBegin - offset)
                    offset = selection.nextBegin
                }
            }
        }
        for queueID in 0..<Int32(8) {
            let queue = store.queue(BenchStore.topic, queueID)
            for number in stride(from: Int64(0), to: store.maximumOffset(of: queue).rawValue, by: 7) {
                offsets += try store.entries(of: queue, from: QueueOffset(rawValue: number), count: 1).map(\.logOffset)
            }
        }
        offsets.shuffle()
        let single = Stopwatch.seconds { for offset in offsets { _ = store.record(at: offset) } }
        return [
            StoreFigure(name: "pull of 32", value: Double(messages) / pulling, unit: "records/s"),
            StoreFigure(
                name: "pull of 32, volume", value: Double(bytes) / pulling / 1_048_576, unit: "MiB/s"),
            StoreFigure(name: "record by offset", value: Double(offsets.count) / single, unit: "records/s"),
        ]
    }

    /// Starts on a killed store of 1 GiB of records: without a checkpoint, with one close to the end, and the scan by
    /// itself.
    func recovery() throws -> [StoreFigure] {
        let bench = BenchStore(directory: "\(root)/recovery", segmentBytes: 256 << 20)
        let bytes = 1 << 30
        try {
            let store = try bench.open()
            try BenchStore.fill(store, bytes: bytes - (64 << 20), bodyBytes: Self.bodyBytes)
            store.dispatchPending()
            try store.saveCheckpoint()
            try BenchStore.fill(store, bytes: 64 << 20, bodyBytes: Self.bodyBytes)
            try store.flushNow()
        }()
        let withCheckpoint = try Stopwatch.seconds { _ = try bench.open() }
        let device = FileDevice()
        let (scan, bare) = try scanSeconds(bench, device)
        let scanned = Double(try logBytes(bench, device)) / 1_073_741_824
        try device.remove("\(bench.directory)/checkpoint")
        try removeTree("\(bench.directory)/escrow", device)
        try removeTree("\(bench.directory)/consumequeue", device)
        try removeTree("\(bench.directory)/index", device)
        let without = try Stopwatch.seconds { _ = try bench.open() }
        return [
            StoreFigure(
                name: "start after a kill, checkpoint 64 MiB back", value: withCheckpoint, unit: "s", places: 3),
            StoreFigure(name: "recovery scan", value: scanned / scan, unit: "GiB/s", places: 2),
            StoreFigure(name: "the log read from the disk, bare", value: scanned / bare, unit: "GiB/s", places: 2),
            StoreFigure(name: "start after a kill, queues of 1 GiB rebuilt", value: without, unit: "s", places: 3),
        ]
    }

    /// Recovery reads what the disk has, not what the system remembers: the scan is bounded by a bare read of the same
    /// files, measured in turn with it.
    private func scanSeconds(_ bench: BenchStore, _ device: FileDevice) throws -> (scan: Double, bare: Double) {
        var best = (scan: Double.infinity, bare: Double.infinity)
        for _ in 0..<3 {
            let (seconds, bytes) = try scan(bench, device)
            best = (min(best.scan, seconds), min(best.bare, try bareSeconds(bench, device, end: bytes)))
        }
        return best
    }

    /// The maps are gone when this returns: what they show stays in memory.
    private func scan(_ bench: BenchStore, _ device: FileDevice) throws -> (seconds: Double, bytes: Int) {
        let log = try CommitLog.open(bench.configuration, device: device, time: .system, logger: BenchStore.logger)
        let seconds = try Stopwatch.seconds {
            try log.recover(.abnormal(notAfter: .zero)) { _, _, _ in .accept }
        }
        return (seconds, Int(log.appendedOffset - log.minimumOffset))
    }

    private func bareSeconds(_ bench: BenchStore, _ device: FileDevice, end: Int) throws -> Double {
        let directory = "\(bench.directory)/commitlog"
        var buffer = ByteBuffer()
        var left = end
        return try Stopwatch.seconds {
            for entry in try device.list(directory) ?? [] where left > 0 {
                let file = try device.open("\(directory)/\(entry.name)", .readOnly)
                try file.dropCache()
                for position in stride(from: 0, to: min(left, entry.length), by: 1 << 20) {
                    buffer.clear()
                    _ = try file.read(at: position, count: 1 << 20, into: &buffer)
                }
                left -= entry.length
            }
        }
    }

    private func logBytes(_ bench: BenchStore, _ device: FileDevice) throws -> Int {
        let log = try CommitLog.open(
            bench.configuration, device: device, time: .system, logger: BenchStore.logger)
        let report = try log.recover(.normal) { _, _, _ in .accept }
        return Int(report.end - log.minimumOffset)
    }

    private func removeTree(_ path: String, _ device: FileDevice) throws {
        for entry in try device.list(path) ?? [] {
            let child = "\(path)/\(entry.name)"
            if entry.isDirectory { try removeTree(child, device) } else { try device.remove(child) }
        }
        try device.remove(path)
    }
}
