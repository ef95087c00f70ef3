import ArgumentParser
import Foundation

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Measure the message store by itself, without network or broker.")

    @Option(help: "Seconds each measurement lasts.")
    var seconds = 2.0

    @Option(help: "Consume queues in the larger of the two stores that are opened.")
    var queues = 100_000

    @Option(help: "Timers that are armed and fired.")
    var timers = 1_000_000

    @Option(
        help: "Measure only groups with this in their name: append, sync, roll, read, recovery, queues, timers, disk.")
    var only: String?

    @Option(help: "Where to put the stores (default: the system's temporary directory).")
    var directory: String?

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    func validate() throws {
        guard seconds > 0, queues >= 10, timers >= 1 else {
            throw ValidationError("--seconds must be positive, --queues at least 10, --timers at least 1.")
        }
    }

    func run() async throws {
        let figures = try await TemporaryDirectory.with(in: directory) { try await measure(in: $0) }
        guard !json else { return print(try StoreFigure.json(figures)) }
        print(StoreFigure.table(figures))
        let aims = StoreAims.check(figures)
        if !aims.isEmpty { print("\n" + aims.joined(separator: "\n")) }
    }

    /// Each group in a directory of its own, removed before the next begins: the disk is shared.
    private func measure(in root: String) async throws -> [StoreFigure] {
        let progress = Progress()
        defer { progress.clear() }
        var figures: [StoreFigure] = []
        func group(_ name: String, _ body: (String) async throws -> [StoreFigure]) async throws {
            guard only.map({ name.contains($0) }) ?? true else { return }
            progress.show("store: \(name)")
            let place = "\(root)/\(name)"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            figures += try await body(place)
            try FileManager.default.removeItem(atPath: place)
        }
        // Memory first, and that of this process before all: what others leave behind would hide it.
        try await group("timers") { ScaleCells(root: $0).timers(timers) }
        try await group("queues") { place in
            try await ScratchFileSystem.with(megabytes: 6144, in: place) {
                let few = try await ScaleCells(root: $0).queues(queues / 10)
                return try await few + ScaleCells(root: $0).queues(queues)
            }
        }
        for count in [1, 16] {
            try await group("append-\(count)") { try AppendCells(root: $0, seconds: seconds).append(batch: count) }
        }
        for waiters in [1, 4, 16, 64, 256] {
            try await group("sync-\(waiters)") {
                try AppendCells(root: $0, seconds: seconds).acknowledged(waiters: waiters)
            }
        }
        try await group("roll") { try AppendCells(root: $0, seconds: seconds).latency() }
        try await group("read") { try ReadCells(root: $0).read() }
        try await group("recovery") { try ReadCells(root: $0).recovery() }
        try await group("disk") { try DiskCells(root: $0).writtenPerFlush() }
        return figures
    }
}
