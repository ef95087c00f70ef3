import NIOCore
import NIOPosix

/// The whole run: limits first, then every broker with its cells.
struct Bench: Sendable {
    var seconds: Double
    var backlog: Int
    var agedMessages: Int
    /// Only cells whose name contains this.
    var only: String?
    /// Where stores are made; nil for the system's temporary directory.
    var directory: String?
    var encoding: WireEncoding

    func run() async throws -> [Figure] {
        try Executables.require("mqbroker")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let outcome: Result<[Figure], any Error>
        do { outcome = .success(try await run(group: group)) } catch { outcome = .failure(error) }
        try await group.shutdownGracefully()
        return try outcome.get()
    }

    private func run(group: MultiThreadedEventLoopGroup) async throws -> [Figure] {
        let progress = Progress()
        defer { progress.clear() }
        let generator = LoadGenerator(eventLoop: group.next())
        let runner = CellRunner(generator: generator, encoding: encoding, warmUp: 1, seconds: seconds)
        let cells = Cell.all(backlog: backlog).filter { only == nil || $0.name.contains(only ?? "") }
        return try await TemporaryDirectory.with(in: directory) { root in
            let limits = try await measureLimits(cells, root: root, runner: runner, progress: progress)
            var figures = limits.figures
            if only == nil || "startup".contains(only ?? "") {
                figures += try await measureStartup(root: root, generator: generator, progress: progress)
            }
            for broker in groups(of: cells) {
                figures += try await measure(broker, limits: limits, root: root, runner: runner, progress: progress)
            }
            return figures
        }
    }

    private func measureLimits(
        _ cells: [Cell], root: String, runner: CellRunner, progress: Progress
    ) async throws -> MachineLimits {
        var limits = MachineLimits()
        try limits.measureDisk(directory: root, seconds: seconds, progress: progress)
        try await limits.measureEcho(for: cells, runner: runner, progress: progress)
        return limits
    }

    /// Cells that can share a broker: same flush, same age of store. A backlog gets one of its own.
    private func groups(of cells: [Cell]) -> [[Cell]] {
        func broker(_ cell: Cell) -> String {
            if case .drain = cell.load { return "drain" }
            return "\(cell.flush) \(cell.store)"
        }
        var order: [String] = []
        var groups: [String: [Cell]] = [:]
        for cell in cells {
            if groups[broker(cell)] == nil { order.append(broker(cell)) }
            groups[broker(cell), default: []].append(cell)
        }
        return order.compactMap { groups[$0] }
    }

    private func measure(
        _ cells: [Cell], limits: MachineLimits, root: String, runner: CellRunner, progress: Progress
    ) async throws -> [Figure] {
        guard let first = cells.first else { return [] }
        return try await TemporaryDirectory.with(in: root) { directory in
            if first.store == .aged {
                progress.show("ageing a store")
                try await age(directory: directory, runner: runner)
            }
            let disk = DiskMeter(holding: directory)
            return try await BrokerUnderTest.with(
                directory: directory, flush: first.flush, generator: runner.generator
            ) { broker in
                var figures: [Figure] = []
                for cell in cells {
                    progress.show(cell.name)
                    do {
                        var figure = try await runner.measure(cell, on: broker, disk: disk)
                        figure.limits = limits.limits(of: cell)
                        figures.append(figure)
                    } catch {
                        figures.append(Figure(name: cell.name, failure: "\(error)"))
                    }
                }
                return figures
            }
        }
    }

    /// Fills a store and stops its broker, so that the next one opens it as it finds it.
    private func age(directory: String, runner: CellRunner) async throws {
        try await BrokerUnderTest.with(directory: directory, flush: .async, generator: runner.generator) { broker in
            try await runner.fill(messages: agedMessages, port: broker.port)
        }
    }

    /// The median of five starts on fresh stores, and what the last broker holds when idle.
    private func measureStartup(root: String, generator: LoadGenerator, progress: Progress) async throws -> [Figure] {
        var seconds: [Double] = []
        var idle = Figure(name: "idle")
        for _ in 0..<5 {
            progress.show("start-up to first send")
            let (start, memory) = try await TemporaryDirectory.with(in: root) { directory in
                try await BrokerUnderTest.with(directory: directory, flush: .sync, generator: generator) { broker in
                    try await Task.sleep(for: .seconds(1))
                    return (broker.secondsToFirstSend, broker.probe.memory())
                }
            }
            seconds.append(start)
            idle.anonymousBytes = memory?.anonymousBytes
            idle.mappedBytes = memory?.mappedBytes
        }
        return [Figure(name: "start-up to first send", seconds: seconds.sorted()[2]), idle]
    }
}
