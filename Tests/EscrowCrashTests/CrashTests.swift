import Foundation
import GRDB
import MQEmbedded
import ProcessOutput
import ProcessSupport
import Testing

/// A service that dies at each durable step, and what its database says after it was started again.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CrashTests {
    private static let orders = 12

    /// Steps of the framework, and `body` and `handler` of the service.
    static let places = [
        "halfStored", "body", "beforeCommit", "committed", "verdictAcknowledged", "handler", "deliveriesCommitted",
        "deadlineRang", "deadlineFired",
    ]

    /// The process that holds the service and the broker dies.
    @Test(arguments: places) func theWholeProcessDies(place: String) async throws {
        try await withDirectory { directory in
            try await crash(directory, broker: "embedded", place: place)
            try await finish(directory, broker: "embedded")
            try check(directory)
        }
    }

    /// The broker lives on and asks back.
    @Test(arguments: places) func theServiceAloneDies(place: String) async throws {
        try await withDirectory { directory in
            var configuration = EmbeddedBrokerConfiguration()
            configuration.directory = directory + "/broker"
            let broker = try await EmbeddedBroker.start(configuration)
            do {
                try await crash(directory, broker: broker.nameServers, place: place)
                try await finish(directory, broker: broker.nameServers)
            } catch {
                await broker.stop()
                throw error
            }
            await broker.stop()
            try check(directory)
        }
    }

    /// A process dies while it relays, and two others go on together on its database.
    @Test func twoProcessesFinishWhatADeadOneBegan() async throws {
        try await withDirectory { directory in
            var configuration = EmbeddedBrokerConfiguration()
            configuration.directory = directory + "/broker"
            let broker = try await EmbeddedBroker.start(configuration)
            do {
                try await crash(directory, broker: broker.nameServers, place: "verdictAcknowledged")
                async let first: Void = finish(directory, broker: broker.nameServers)
                async let second: Void = finish(directory, broker: broker.nameServers)
                _ = try await (first, second)
            } catch {
                await broker.stop()
                throw error
            }
            await broker.stop()
            try check(directory)
        }
    }

    // MARK: Support

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "crash-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    /// The fifth time, so that something has happened before.
    private func crash(_ directory: String, broker: String, place: String) async throws {
        let count = place.hasPrefix("deadline") ? "1" : "5"
        let ended = try await ServerProcess.run(
            "CrashService", arguments: [directory, broker, "\(Self.orders)", place, count]
        ) { process in
            await process.output.finished()
        }
        #expect(ended.exit == .signal(9), "the service was to die at \(place)")
    }

    private func finish(_ directory: String, broker: String) async throws {
        let ended = try await ServerProcess.run(
            "CrashService", arguments: [directory, broker, "\(Self.orders)"]
        ) { process in
            try await process.requireLine(containing: "DONE")
            await process.output.finished()
        }
        #expect(ended.exit == .code(0))
    }

    /// Everything once, in order for each customer, nothing early, nothing open.
    private func check(_ directory: String) throws {
        let all = Array(0..<Self.orders)
        let database = try DatabaseQueue(path: directory + "/service.sqlite")
        try database.read { db in
            for table in ["placed", "stock", "reserved"] {
                let numbers = try Int.fetchAll(db, sql: "SELECT number FROM \(table) ORDER BY number")
                #expect(numbers == all, "\(table)")
            }
            let expired = try Int.fetchAll(db, sql: "SELECT number FROM expired ORDER BY number")
            #expect(expired == all.filter { $0 % 3 == 0 })
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM expired WHERE early = 1") == 0)
            for customer in 0..<4 {
                let name = "customer-\(customer)"
                let placed = try Int.fetchAll(
                    db, sql: "SELECT number FROM placed WHERE customer = ? ORDER BY at", arguments: [name])
                let stock = try Int.fetchAll(
                    db, sql: "SELECT number FROM stock WHERE customer = ? ORDER BY at", arguments: [name])
                #expect(stock == placed, "the order of \(name)")
            }
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM escrow_dead_letter") == 0)
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM escrow_outbox") == 0)
            #expect(try String.fetchOne(db, sql: "PRAGMA integrity_check") == "ok")
        }
    }
}
