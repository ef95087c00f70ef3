import Escrow
import Foundation
import GRDB
import Logging
import MQClient
import MQEmbedded
import Testing

/// A database and an embedded broker of their own, in a directory that goes with them.
final class LiveSite: Sendable {
    let directory: URL
    let pool: DatabasePool

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "live-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        pool = try DatabasePool(path: directory.appending(path: "service.sqlite").path)
        try pool.write { try $0.execute(sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT") }
    }

    deinit {
        // Not closed here: the last reference may go on the pool's own thread, which would wait for itself.
        try? FileManager.default.removeItem(at: directory)
    }

    /// A service with a broker inside it.
    var configuration: EscrowConfiguration {
        quiet(.embedded(directory.appending(path: "broker").path))
    }

    /// A service of a broker that lives beside it.
    func configuration(_ broker: EmbeddedBroker) throws -> EscrowConfiguration {
        quiet(.cluster(nameServers: try NameServerAddresses(broker.nameServers)))
    }

    func quiet(_ given: EscrowConfiguration) -> EscrowConfiguration {
        var configuration = given
        configuration.logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        configuration.drainTimeout = .seconds(5)
        return configuration
    }

    /// Runs a broker beside `body`.
    func withBroker<Value: Sendable>(
        _ change: (inout EmbeddedBrokerConfiguration) -> Void = { _ in },
        _ body: (EmbeddedBroker) async throws -> Value
    ) async throws -> Value {
        var configuration = EmbeddedBrokerConfiguration()
        configuration.directory = directory.appending(path: "broker").path
        configuration.logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        change(&configuration)
        let broker = try await EmbeddedBroker.start(configuration)
        let result: Result<Value, any Error>
        do { result = .success(try await body(broker)) } catch { result = .failure(error) }
        await broker.stop()
        return try result.get()
    }

    /// Runs services beside `body`; afterwards they are cancelled, as by a crash that lets nothing drain.
    func running<Value: Sendable>(_ services: Escrow..., body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for service in services { tasks.addTask { try await service.run() } }
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            tasks.cancelAll()
            try? await tasks.waitForAll()
            return try result.get()
        }
    }

    /// A service that notes each order it is told of, as `stock ORDER/NUMBER`.
    ///
    /// - Parameters:
    ///   - configuration: nil for one with a broker inside it.
    ///   - other: another pool on the same file.
    func shop(_ configuration: EscrowConfiguration? = nil, on other: DatabasePool? = nil) throws -> Escrow {
        let escrow = try Escrow("shop", database: other ?? pool, configuration: configuration ?? self.configuration)
        try escrow.on(Placed.self, as: "stock") { event, tx in
            try TestDatabase.note(tx.database, "stock \(event.order)/\(event.number)")
            return .done
        }
        return escrow
    }

    /// Returns when the query's first value is `value`; looks again after each commit.
    ///
    /// - Parameter others: more pools on the same file, whose commits count too.
    func until(_ sql: String, is value: Int, committedBy others: DatabasePool...) async throws {
        let watch = CommitWatch([pool] + others)
        for await _ in watch.commits where try int(sql) == value { return }
        throw CancellationError()
    }

    func int(_ sql: String) throws -> Int {
        try pool.read { try Int.fetchOne($0, sql: sql) ?? 0 }
    }

    func notes() throws -> [String] {
        try pool.read { try String.fetchAll($0, sql: "SELECT text FROM note ORDER BY rowid") }
    }
}
