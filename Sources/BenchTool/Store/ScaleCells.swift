import Foundation
import MQProtocol
import MQStore
import NIOCore

/// Many queues, many timers.
struct ScaleCells {
    let root: String

    /// Opens a store of queues with one message each, closed cleanly before.
    func queues(_ count: Int) async throws -> [StoreFigure] {
        let bench = BenchStore(directory: "\(root)/queues-\(count)")
        try prepare(bench, count)
        // Ours from then on: the first start takes it over as it takes a stock broker's.
        try bench.open().close()
        var opened: [OpenedStore] = []
        for _ in 0..<3 { opened.append(try await OpenedStore.inItsOwnProcess(bench.directory)) }
        guard opened.allSatisfy({ $0.queues >= count }) else { throw BenchError("only \(opened[0].queues) queues") }
        return [
            StoreFigure(
                name: "open \(count) queues", value: median(opened.map(\.seconds)), unit: "s", places: 3),
            StoreFigure(
                name: "memory of \(count) queues", value: median(opened.map(\.megabytes)), unit: "MiB", places: 1),
        ]
    }

    /// The log through the store, the queue files by hand: a store makes each directory durable, which takes minutes.
    private func prepare(_ bench: BenchStore, _ count: Int) throws {
        var entries: [(String, Int32, QueueEntry)] = []
        try {
            let store = try bench.open()
            var batch = store.makeBatch()
            for number in 0..<count {
                let (topic, queueID) = ("Topic\(number / 8)", Int32(number % 8))
                let queue = store.queue(topic, queueID)
                try batch.add(BenchStore.draft(bodyBytes: 16, topic: topic, queueID: queueID), to: queue)
                if batch.count == 256 || number == count - 1 {
                    try store.append(&batch)
                    for index in 0..<batch.count {
                        let first = number + 1 - batch.count + index
                        let entry = QueueEntry(logOffset: batch[index].logOffset, size: batch[index].size, tagsCode: 0)
                        entries.append(("Topic\(first / 8)", Int32(first % 8), entry))
                    }
                    batch.removeAll()
                }
            }
            try store.flushNow()
        }()
        let device = FileDevice()
        for (topic, queueID, entry) in entries {
            let directory = "\(bench.directory)/consumequeue/\(topic)/\(queueID)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let file = try device.open("\(directory)/00000000000000000000", .truncate)
            try file.setLength(bench.configuration.queueSegmentEntries * 20)
            var bytes = ByteBuffer()
            bytes.writeMultipleIntegers(entry.logOffset.rawValue, entry.size, entry.tagsCode)
            try file.write(bytes, at: 0)
        }
        try device.remove("\(bench.directory)/abort")
        try FileManager.default.removeItem(atPath: "\(bench.directory)/escrow")
    }

    /// Arms timers of the next 40 days in random order, and lets all of them ring.
    func timers(_ count: Int) -> [StoreFigure] {
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        var random = SystemRandomNumberGenerator()
        let dues = (0..<count).map { _ in start.milliseconds + Int64(random.next(upperBound: UInt64(40 * 86_400_000))) }
        let probe = ProcessProbe(processID: Int(ProcessInfo.processInfo.processIdentifier))
        let before = probe.memory()?.anonymousBytes
        var wheel = TimerWheel()
        let arming = Stopwatch.seconds {
            for (number, due) in dues.enumerated() {
                wheel.arm(.init(due: due, logOffset: LogOffset(rawValue: Int64(number) * 300), size: 300))
            }
        }
        let after = probe.memory()?.anonymousBytes
        var fired: [TimerWheel.Timer] = []
        var rung = 0
        let firing = Stopwatch.seconds {
            while let next = wheel.nextDue() {
                fired.removeAll(keepingCapacity: true)
                wheel.popDue(now: next, limit: 512, into: &fired)
                rung += fired.count
            }
        }
        var figures = [
            StoreFigure(name: "timers armed", value: Double(count) / arming, unit: "timers/s"),
            StoreFigure(name: "timers fired", value: Double(rung) / firing, unit: "timers/s"),
        ]
        if let before, let after {
            figures.append(
                StoreFigure(
                    name: "memory per timer", value: Double(after - before) / Double(count), unit: "bytes", places: 1))
        }
        return figures
    }
}
