/// What this machine can do at best, measured once for every shape of load that some cell has.
struct MachineLimits: Sendable {
    /// Messages per second of the bare echo, by ``key(_:)``.
    private(set) var echo: [String: Double] = [:]
    /// Records per second of the bare group commit, by record size class.
    private(set) var groupCommit: [Int: Double] = [:]
    private(set) var figures: [Figure] = []

    /// Cells that differ only in the broker have the same limit.
    private static func key(_ cell: Cell) -> String {
        var shape = cell
        shape.flush = .async
        shape.store = .fresh
        return shape.name
    }

    /// The limits that a cell is compared with.
    func limits(of cell: Cell) -> [Figure.Limit] {
        var limits: [Figure.Limit] = []
        if let perSecond = echo[Self.key(cell)] { limits.append(.init(name: "echo", perSecond: perSecond)) }
        if cell.flush == .sync, case .send(let bytes) = cell.load, cell.connections * cell.inFlight >= 64,
            let perSecond = groupCommit[bytes]
        {
            limits.append(.init(name: "group commit", perSecond: perSecond))
        }
        return limits
    }

    mutating func measureEcho(for cells: [Cell], runner: CellRunner, progress: Progress) async throws {
        for cell in cells where echo[Self.key(cell)] == nil {
            progress.show("echo \(Self.key(cell))")
            let measurement = try await EchoProcess.with(answer: Self.answer(cell), encoding: runner.encoding) { port in
                let length = Self.length(cell, seconds: runner.seconds)
                return try await runner.run(cell, port: port, length: length, isEcho: true)
            }
            echo[Self.key(cell)] = measurement.perSecond
            figures.append(Figure(name: "echo \(Self.key(cell))", measurement: measurement))
        }
    }

    private static func answer(_ cell: Cell) -> EchoServer.Answer {
        if case .drain = cell.load { .records } else { .receipt }
    }

    private static func length(_ cell: Cell, seconds: Double) -> RunLength {
        if case .drain = cell.load { .toTheEnd } else { .seconds(warmUp: 0.5, measured: seconds) }
    }

    /// - Parameter directory: on the disk that the stores are on.
    mutating func measureDisk(directory: String, seconds: Double, progress: Progress) throws {
        let limit = GroupCommitLimit(directory: directory, seconds: seconds)
        progress.show("fdatasync")
        let single = try limit.recordsPerSecond(waiters: 1, recordBytes: Self.recordBytes(body: 128))
        figures.append(Figure(name: "fdatasync, one record each", measurement: .rate(single)))
        for body in [128, 1024] {
            let rate = try limit.recordsPerSecond(waiters: 64, recordBytes: Self.recordBytes(body: body))
            groupCommit[body] = rate
            figures.append(Figure(name: "group commit of 64, \(body) B bodies", measurement: .rate(rate)))
        }
    }

    /// A record around a body of so many bytes, as the broker stores it.
    private static func recordBytes(body: Int) -> Int {
        91 + body + BenchTopic.name.utf8.count + 75
    }
}

extension Measurement {
    /// A rate without latencies, over one second.
    static func rate(_ perSecond: Double) -> Measurement {
        Measurement(
            messages: Int(perSecond), operations: 0, nanoseconds: 1_000_000_000, p50: 0, p99: 0, p999: 0)
    }
}
