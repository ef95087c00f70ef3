import Escrow
import Foundation
import GRDB
import Logging
import MQClient
import MQEmbedded
import Synchronization

/// A broker and a database of their own for one measurement.
struct Site: Sendable {
    let pool: DatabasePool
    let nameServers: NameServerAddresses

    static func with<Value: Sendable>(
        _ flush: EmbeddedBrokerConfiguration.Flush, _ body: (Site) async throws -> Value
    ) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var configuration = EmbeddedBrokerConfiguration()
        configuration.directory = directory.appending(path: "broker").path
        configuration.flush = flush
        configuration.logger = Logger(label: "bench") { StreamLogHandler.standardError(label: $0) }
        configuration.logger.logLevel = .error
        let broker = try await EmbeddedBroker.start(configuration)
        let pool = try DatabasePool(path: directory.appending(path: "service.sqlite").path)
        try await pool.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;
                    CREATE TABLE stock (sku INTEGER PRIMARY KEY, onHand INTEGER NOT NULL) STRICT;
                    """)
            for sku in 0..<1000 { try db.execute(sql: "INSERT INTO stock VALUES (?, 0)", arguments: [sku]) }
        }
        let result: Result<Value, any Error>
        do {
            result = .success(
                try await body(Site(pool: pool, nameServers: try NameServerAddresses(broker.nameServers))))
        } catch {
            result = .failure(error)
        }
        await broker.stop()
        try pool.close()
        return try result.get()
    }

    /// Runs a service beside `body`.
    func serving<Value>(_ escrow: Escrow, _ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await escrow.run() }
            let value = try await body()
            tasks.cancelAll()
            return value
        }
    }

    func escrow() throws -> Escrow {
        var configuration = EscrowConfiguration.cluster(nameServers: nameServers)
        configuration.logger = Logger(label: "bench") { StreamLogHandler.standardError(label: $0) }
        configuration.logger.logLevel = .error
        return try Escrow("bench", database: pool, configuration: configuration)
    }

    /// `count` tasks that each repeat `work` until the time is over.
    func repeating(
        inFlight count: Int, seconds: Double, _ work: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Measured {
        let counter = Numbers()
        let started = ContinuousClock.now
        let times = try await withThrowingTaskGroup(of: [Double].self) { tasks in
            for _ in 0..<count {
                tasks.addTask {
                    var times: [Double] = []
                    while started.duration(to: .now) < .seconds(seconds) {
                        let began = ContinuousClock.now
                        try await work(counter.next())
                        times.append(began.duration(to: .now) / .milliseconds(1))
                    }
                    return times
                }
            }
            return try await tasks.reduce(into: []) { $0 += $1 }
        }
        return Measured(
            perSecond: Double(times.count) / (started.duration(to: .now) / .seconds(1)), milliseconds: times)
    }
}

/// Numbers, each once.
final class Numbers: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int {
        value.wrappingAdd(1, ordering: .relaxed).oldValue
    }
}
