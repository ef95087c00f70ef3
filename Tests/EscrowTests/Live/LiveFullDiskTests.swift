import Escrow
import Foundation
import GRDB
import Logging
import MQClient
import MQEmbedded
import Testing

extension LiveTests {
    /// A running service whose database's file system is full.
    @Suite(
        .timeLimit(.minutes(1)),
        .enabled(if: SmallDisk.canBeMade, "a small file system can only be mounted by root, on Linux"))
    struct LiveFullDiskTests {
        private let site: LiveSite
        private let disk: SmallDisk
        private let pool: DatabasePool

        init() throws {
            site = try LiveSite()
            disk = try SmallDisk(kibibytes: 4096)
            pool = try DatabasePool(path: disk.path + "/service.sqlite")
            try pool.write { try $0.execute(sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT") }
        }

        private func until(_ sql: String, is value: Int) async throws {
            let watch = CommitWatch([pool])
            for await _ in watch.commits where try int(sql) == value { return }
            throw CancellationError()
        }

        private func int(_ sql: String) throws -> Int {
            try pool.read { try Int.fetchOne($0, sql: sql) ?? 0 }
        }

        private func shop(_ broker: EmbeddedBroker, _ log: LogWatch) throws -> Escrow {
            var configuration = try site.configuration(broker)
            configuration.logger = log.logger
            let escrow = try Escrow("shop", database: pool, configuration: configuration)
            try escrow.on(Placed.self, as: "stock") { event, tx in
                try TestDatabase.note(tx.database, "stock \(event.number)")
                return .done
            }
            return escrow
        }

        private func place(_ number: Int, _ escrow: Escrow) async throws -> TransactionResult<Void> {
            try await escrow.transaction(Placed(order: "\(number % 7)", number: number)) { tx in
                try TestDatabase.note(tx.database, "placed \(number)")
            }
        }

        @Test func theServicePausesAndLosesNothing() async throws {
            try await site.withBroker { broker in
                let log = LogWatch()
                let escrow = try shop(broker, log)
                try await site.running(escrow) {
                    for number in 0..<20 { try await place(number, escrow).get() }
                    try await until("SELECT count(*) FROM note WHERE text LIKE 'stock%'", is: 20)

                    try disk.fill()
                    let (placed, doubtful) = try await placeUntilRefused(escrow)
                    try await deliverWhileFull(broker, log)
                    #expect(try int("SELECT count(*) FROM note WHERE text = 'stock 9999'") == 0)

                    try disk.free()
                    var all = placed
                    for (number, transaction) in doubtful {
                        if try await transaction.settle() == .commit { all.insert(number) }
                    }
                    try await until("SELECT count(*) FROM note WHERE text LIKE 'stock%'", is: all.count + 1)
                    try await until("SELECT count(*) FROM escrow_outbox", is: 0)
                    try check(all)
                }
            }
        }

        /// - Returns: numbers of orders that were placed, and transactions of which it is not known.
        private func placeUntilRefused(_ escrow: Escrow) async throws -> (Set<Int>, [(Int, InDoubtTransaction)]) {
            var placed = Set(0..<20)
            var doubtful: [(Int, InDoubtTransaction)] = []
            var refused = 0
            // What the file of the log has room for is still committed.
            for number in 20..<5000 where refused + doubtful.count < 5 {
                do {
                    switch try await place(number, escrow) {
                    case .committed: placed.insert(number)
                    case .inDoubt(let transaction): doubtful.append((number, transaction))
                    case .fenced: Issue.record("nobody asked back for \(number)")
                    }
                } catch let error as EscrowError {
                    #expect(error.code == .databaseFull)
                    refused += 1
                }
            }
            #expect(refused + doubtful.count == 5)
            return (placed, doubtful)
        }

        /// An event of another service arrives: the consumer says that it pauses.
        private func deliverWhileFull(_ broker: EmbeddedBroker, _ log: LogWatch) async throws {
            let configuration = MQClientConfiguration(nameServers: try NameServerAddresses(broker.nameServers))
            try await MQClient.with(configuration) { client in
                var message = Message(topic: "orders", body: "{\"order\":\"other\",\"number\":9999}")
                message.tag = "Placed"
                _ = try await client.send(message, orderedBy: "other")
            }
            try await log.until("a consumer pauses")
        }

        private func check(_ placed: Set<Int>) throws {
            let notes = try pool.read { try String.fetchAll($0, sql: "SELECT text FROM note") }
            let wanted = placed.flatMap { ["placed \($0)", "stock \($0)"] } + ["stock 9999"]
            #expect(notes.sorted() == wanted.sorted())
            #expect(try int("SELECT count(*) FROM escrow_dead_letter") == 0)
            #expect(try int("SELECT count(*) FROM escrow_attempt") == 0)
            #expect(try int("SELECT count(*) FROM escrow_fence WHERE acknowledged IS NULL") == 0)
        }
    }
}

/// Tells what a service logs.
private final class LogWatch: Sendable {
    let logger: Logger
    private let lines: AsyncStream<String>

    init() {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        logger = Logger(label: "test") { _ in Handler(continuation: continuation) }
    }

    func until(_ text: String) async throws {
        for await line in lines where line.contains(text) { return }
        throw CancellationError()
    }

    private struct Handler: LogHandler {
        let continuation: AsyncStream<String>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            continuation.yield("\(event.message)")
        }
    }
}
