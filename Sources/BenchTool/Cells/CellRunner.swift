import NIOCore
import Synchronization

/// Puts one cell's load on a server and reads the server's meters around it.
struct CellRunner: Sendable {
    let generator: LoadGenerator
    let encoding: WireEncoding
    let warmUp: Double
    let seconds: Double

    /// Runs a cell on a broker.
    func measure(_ cell: Cell, on broker: BrokerUnderTest, disk: DiskMeter?) async throws -> Figure {
        let samples = Mutex<[Sample]>([])
        let take: @Sendable () -> Void = { samples.withLock { $0.append(Sample(probe: broker.probe, disk: disk)) } }
        if case .drain(let messages) = cell.load {
            try await fill(messages: messages, port: broker.port)
        }
        let measurement = try await run(cell, port: broker.port, length: length(of: cell), sample: take)
        var figure = Figure(name: cell.name, measurement: measurement)
        let taken = samples.withLock { $0 }
        if taken.count == 2, measurement.messages > 0 {
            let messages = Double(measurement.messages)
            figure.cpuSecondsPerMillion = taken[0].cpuSeconds(until: taken[1]).map { $0 / messages * 1_000_000 }
            if cell.flush == .sync {
                figure.diskBytesPerMessage = taken[0].diskBytes(until: taken[1]).map { Double($0) / messages }
            }
        }
        let memory = broker.probe.memory()
        figure.anonymousBytes = memory?.anonymousBytes
        figure.mappedBytes = memory?.mappedBytes
        return figure
    }

    /// Runs a cell's load on any port: a broker's, or the echo server's.
    func run(
        _ cell: Cell, port: Int, length: RunLength, isEcho: Bool = false,
        sample: @escaping @Sendable () -> Void = {}
    ) async throws -> Measurement {
        switch cell.load {
        case .send(let bytes):
            let template = BenchTopic.sendTemplate(bodyBytes: bytes, encoding: encoding)
            return try await run(cell, port: port, length: length, sample: sample) {
                SendWorkload(template: template, messagesPerFrame: 1, queues: BenchTopic.queues, connection: $0)
            }
        case .batch(let bytes):
            let template = BenchTopic.batchTemplate(bodyBytes: bytes, encoding: encoding)
            return try await run(cell, port: port, length: length, sample: sample) {
                SendWorkload(
                    template: template, messagesPerFrame: Cell.batchSize, queues: BenchTopic.queues, connection: $0)
            }
        case .transaction(let bytes):
            let half = BenchTopic.sendTemplate(bodyBytes: bytes, encoding: encoding, isHalf: true)
            return try await run(cell, port: port, length: length, sample: sample) { _ in
                TransactionWorkload(
                    half: half, group: BenchTopic.group, queues: BenchTopic.queues, slots: cell.inFlight)
            }
        case .drain(let messages):
            // The backlog was sent in batches, one queue after the other: what every queue surely has.
            let batches = messages / (BenchTopic.queues * Cell.batchSize)
            let ends = Array(repeating: Int64(batches * Cell.batchSize), count: BenchTopic.queues)
            return try await run(cell, port: port, length: length, sample: sample) { _ in
                DrainWorkload(
                    topic: BenchTopic.name, queueEnds: ends, slots: cell.inFlight, encoding: encoding,
                    verifies: !isEcho)
            }
        }
    }

    private func run<Work: Workload>(
        _ cell: Cell, port: Int, length: RunLength, sample: @escaping @Sendable () -> Void,
        makeWork: @escaping @Sendable (Int) -> Work
    ) async throws -> Measurement {
        try await generator.run(
            port: port, connections: cell.connections, inFlight: cell.inFlight, length: length, sample: sample,
            makeWork: makeWork)
    }

    /// Stores so many messages of 128 bytes, evenly over the queues.
    func fill(messages: Int, port: Int) async throws {
        let template = BenchTopic.batchTemplate(bodyBytes: 128, encoding: encoding)
        let frames = messages / Cell.batchSize
        _ = try await generator.run(port: port, connections: 1, inFlight: 32, length: .toTheEnd) { _ in
            SendWorkload(
                template: template, messagesPerFrame: Cell.batchSize, queues: BenchTopic.queues, limit: frames)
        }
    }

    private func length(of cell: Cell) -> RunLength {
        if case .drain = cell.load { return .toTheEnd }
        return .seconds(warmUp: warmUp, measured: seconds)
    }
}

/// The meters at one moment.
private struct Sample: Sendable {
    private let cpuSeconds: Double?
    /// What the device wrote, for everybody.
    private let deviceBytes: Int?
    /// What the broker caused to be written, counted when its pages became dirty.
    private let processBytes: Int?

    init(probe: ProcessProbe, disk: DiskMeter?) {
        cpuSeconds = probe.cpuSeconds()
        deviceBytes = disk?.writtenBytes()
        processBytes = probe.writtenBytes()
    }

    func cpuSeconds(until later: Sample) -> Double? {
        guard let cpuSeconds, let end = later.cpuSeconds else { return nil }
        return end - cpuSeconds
    }

    /// The smaller of two counts: the device's includes what others wrote meanwhile, the broker's includes pages that
    /// are not written yet.
    func diskBytes(until later: Sample) -> Int? {
        let counts = [(deviceBytes, later.deviceBytes), (processBytes, later.processBytes)]
        return counts.compactMap { begin, end in begin.flatMap { begin in end.map { $0 - begin } } }.min()
    }
}
