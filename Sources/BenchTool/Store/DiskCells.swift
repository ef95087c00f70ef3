import Foundation
import MQProtocol
import MQStore

/// What a flush costs the disk, by the device's own count.
struct DiskCells {
    let root: String
    private static let slices = 15
    private static let flushesPerSlice = 400
    private static let bodyBytes = 128

    /// One record a flush, on an empty store and on one that was filled, closed and opened again, and without a store.
    func writtenPerFlush() throws -> [StoreFigure] {
        guard let meter = DiskMeter(holding: root) else { return [] }
        var figures = [try measure("fresh", BenchStore(directory: "\(root)/fresh", window: 16 << 20), meter)]
        let aged = BenchStore(directory: "\(root)/aged", window: 16 << 20)
        try aged.running { try BenchStore.fill($0, bytes: 256 << 20, bodyBytes: 1024) }
        figures.append(try measure("aged", aged, meter))
        figures.append(try measureBare(meter))
        return figures
    }

    private func measure(_ name: String, _ bench: BenchStore, _ meter: DiskMeter) throws -> StoreFigure {
        try bench.running { store in
            let queue = store.queue(BenchStore.topic, 0)
            var batch = store.makeBatch()
            let draft = BenchStore.draft(bodyBytes: Self.bodyBytes)
            func append() throws {
                batch.removeAll()
                try batch.add(draft, to: queue)
                try store.append(&batch)
                try store.flushNow()
            }
            // The zeros ahead are written before: they are not part of a flush.
            try append()
            return try figure(name, meter) {
                let start = store.appendedOffset
                for _ in 0..<Self.flushesPerSlice { try append() }
                return Int(store.appendedOffset - start)
            }
        }
    }

    /// Into a file of zeros: what is left is the size of a block.
    private func measureBare(_ meter: DiskMeter) throws -> StoreFigure {
        let bare = try BareLog(directory: root)
        defer { bare.remove() }
        let bytes = try BenchStore.recordBytes(bodyBytes: Self.bodyBytes)
        return try figure("bare", meter) {
            try bare.append(recordBytes: bytes, flushes: Self.flushesPerSlice)
            return bytes * Self.flushesPerSlice
        }
    }

    /// The middle one of several slices: the device is everybody's.
    ///
    /// - Parameter slice: returns how many bytes it appended.
    private func figure(_ name: String, _ meter: DiskMeter, _ slice: () throws -> Int) throws -> StoreFigure {
        settle(meter)
        let slices = try (0..<Self.slices).map { _ in
            let before = meter.writtenBytes() ?? 0
            let data = try slice()
            return Double((meter.writtenBytes() ?? 0) - before - data) / Double(Self.flushesPerSlice)
        }
        return StoreFigure(name: "written per flush above the data, \(name)", value: median(slices), unit: "bytes")
    }

    /// Until nothing else has reached the disk for half a second.
    private func settle(_ meter: DiskMeter) {
        var last = meter.writtenBytes()
        for _ in 0..<60 {
            Thread.sleep(forTimeInterval: 0.5)
            let now = meter.writtenBytes()
            if now == last { return }
            last = now
        }
    }
}
