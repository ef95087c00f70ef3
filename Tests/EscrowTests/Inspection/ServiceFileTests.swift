import Foundation
import GRDB
import MQProtocol
import Testing

@testable import Escrow

/// Decisions from outside a running service.
@Suite(.timeLimit(.minutes(1))) struct ServiceFileTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
        try database.pool.write { db in
            try db.execute(
                sql: """
                    INSERT INTO escrow_dead_letter (consumer, idempotency_key, topic, tag, body, message_id, reason,
                        attempts, born, failed, state)
                    VALUES ('c', 'k', 't', 'E', x'00', 'm', 'it broke', 3, 1, 1, 'open')
                    """)
        }
    }

    private func file() async throws -> ServiceFile {
        var file = try #require(try await ServiceFile.all(in: database.directory.path).files.first)
        file.busyTimeout = .milliseconds(20)
        return file
    }

    /// Nothing is wrong with the file, and the same command succeeds later.
    @Test func aServiceThatWritesForLongMakesTheDecisionWait() async throws {
        let file = try await file()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let blocker = try DatabaseQueue(path: database.pool.path, configuration: configuration)
        try await blocker.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        let error = await #expect(throws: EscrowError.self) { try await file.redrive(nil, consumer: nil) }
        #expect(error?.code == .databaseBusy && error?.isRetriable == true)
        #expect(error?.message.contains("try again") == true && error?.message.contains("service.sqlite") == true)
        try await blocker.writeWithoutTransaction { try $0.rollback() }
        #expect(try await file.redrive(nil, consumer: nil) == 1)
    }

    // MARK: Names

    private func addCopy(_ name: String) throws -> DatabasePool {
        let copy = try DatabasePool(path: database.directory.appending(path: name).path)
        try database.pool.backup(to: copy)
        return copy
    }

    private func states(_ database: DatabasePool) throws -> [String] {
        try database.read { try String.fetchAll($0, sql: "SELECT state FROM escrow_dead_letter") }
    }

    @Test func aCopyWithADateInItsNameIsAnother() async throws {
        let copy = try addCopy("service.2026-11-26.sqlite")
        let files = try await ServiceFile.all(in: database.directory.path).files
        #expect(files.map(\.name) == ["service.2026-11-26", "service"])
        let chosen = try await ServiceFile.all(in: database.directory.path, service: "service").files
        for file in chosen { #expect(try await file.redrive([1], consumer: nil) == 1) }
        #expect(try states(database.pool) == ["wanted"])
        #expect(try states(copy) == ["open"])
    }

    @Test func twoFilesOfOneNameAreRefused() async throws {
        _ = try addCopy("service.db")
        let error = await #expect(throws: EscrowError.self) {
            try await ServiceFile.all(in: database.directory.path)
        }
        #expect(error?.code == .databaseUnsuitable)
        for text in ["service.db", "service.sqlite", "move the one"] {
            #expect(error?.message.contains(text) == true, "\(String(describing: error))")
        }
        // Another service of the directory can be looked at meanwhile.
        let found = try await ServiceFile.all(in: database.directory.path, service: "other")
        #expect(found.files.isEmpty)
    }
}
