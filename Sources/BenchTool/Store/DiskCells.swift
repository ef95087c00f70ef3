import Foundation
import MQProtocol
import MQStore

/// What a flush costs the disk, by the device's own count.
struct DiskCells {
    let root: String
    private static let flushes = 2000
    private static let bodyBytes = 128

    /// One record a flush, on an empty store and on one that was filled, closed and opened again.
    func writtenPerFlush() throws -> [StoreFigure] {
        guard let meter = DiskMeter(holding: root) else { return [] }
        var figures = [try measure("fresh", BenchStore(directory: "\(root)/fresh", window: 16 << 20), meter)]
        let aged = BenchStore(directory: "\(root)/aged", window: 16 << 20)
        try aged.running { try BenchStore.fill($0, bytes: 256 << 20, bodyBytes: 1024) }
        figures.append(try measure("aged", aged, meter))
        return figures
    }

    private func measure(_ name: String, _ bench: BenchStore, _ meter: DiskMeter) throws -> StoreFigure {
        try bench.running { store in
            let queue = store.queue(BenchStore.topic, 0)
            var batch = store.makeBatch()
            let draft = BenchStore.draft(bodyBytes: Self.bodyBytes)
            // The zeros ahead are written before: they are not part of a flush.
            try batch.add(draft, to: queue)
            try store.append(&batch)
            try store.flushNow()
            try settle(meter)
            let before = meter.writtenBytes() ?? 0
            let start = store.appendedOffset
            for _ in 0..<Self.flushes {
                batch.removeAll()
                try batch.add(draft, to: queue)
                try store.append(&batch)
                try store.flushNow()
            }
            let data = Int(store.appendedOffset - start)
            let written = (meter.writtenBytes() ?? 0) - before
            return StoreFigure(
                name: "written per flush above the data, \(name)", value: Double(written - data) / Double(Self.flushes),
                unit: "bytes")
        }
    }

    /// Until nothing else has reached the disk for half a second.
    private func settle(_ meter: DiskMeter) throws {
        var last = meter.writtenBytes()
        for _ in 0..<60 {
            Thread.sleep(forTimeInterval: 0.5)
            let now = meter.writtenBytes()
            if now == last { return }
            last = now
        }
    }
}
