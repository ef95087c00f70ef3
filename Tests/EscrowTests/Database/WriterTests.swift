import GRDB
import MQProtocol
import Synchronization
import Testing

@testable import Escrow

/// One SQLite transaction for many pieces, and each piece as if it were alone.
@Suite(.timeLimit(.minutes(1))) struct WriterTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
    }

    @Test func piecesThatWaitTogetherAreOneTransaction() async throws {
        let commits = Mutex(0)
        let writer = database.writer(
            steps: StepObserver { step in if step == .beforeCommit { commits.withLock { $0 += 1 } } })
        let results = await run((0..<100).map { .note("\($0)") }, on: writer)
        #expect(results.allSatisfy { $0.isCommitted })
        let notes = try database.notes()
        #expect(notes == (0..<100).map { "\($0)" })
        // 64 at most in one; more groups only when one took longer than 5 ms.
        #expect((2...20).contains(commits.withLock { $0 }))
    }

    @Test func aPieceThatThrowsIsUndoneAlone() async throws {
        let results = await run([.note("a"), .failing("b"), .note("c")], on: database.writer())
        #expect(results.map(\.isCommitted) == [true, false, true])
        #expect(try database.notes() == ["a", "c"])
    }

    @Test func whatIsRememberedOfAFailureStays() async throws {
        let piece = Work(
            body: { db in
                try TestDatabase.note(db, "undone")
                throw Planned()
            },
            afterFailure: { db, error in
                #expect(error is Planned)
                try TestDatabase.note(db, "remembered")
            })
        let results = await run([.note("a"), piece], on: database.writer())
        #expect(results.map(\.isCommitted) == [true, false])
        #expect(try database.notes() == ["a", "remembered"])
    }

    /// `RAISE(ROLLBACK)` ends the whole transaction, not only the statement.
    @Test func aPieceThatEndsTheTransactionTakesNobodyWithIt() async throws {
        try await database.pool.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER bomb BEFORE INSERT ON note WHEN new.text = 'bomb'
                    BEGIN SELECT RAISE(ROLLBACK, 'everything'); END
                    """)
        }
        var bomb = Work.note("bomb")
        bomb.afterFailure = { db, _ in try TestDatabase.note(db, "remembered") }
        let results = await run([.note("a"), bomb, .note("c")], on: database.writer())
        #expect(results.map(\.isCommitted) == [true, false, true])
        #expect(try database.notes() == ["a", "remembered", "c"])
    }

    /// Found by COMMIT only, when every piece has run.
    @Test func aDeferredConstraintIsHeldAgainstItsPieceOnly() async throws {
        try await database.pool.write { db in
            try db.execute(sql: "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT")
            try db.execute(
                sql: """
                    CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent DEFERRABLE INITIALLY DEFERRED) STRICT
                    """)
        }
        let orphan = Work(
            body: { try $0.execute(sql: "INSERT INTO child (parent) VALUES (7)") },
            afterFailure: { db, _ in try TestDatabase.note(db, "remembered") })
        let results = await run([.note("a"), orphan, .note("c")], on: database.writer())
        #expect(results.map(\.isCommitted) == [true, false, true])
        #expect(try database.notes() == ["a", "remembered", "c"])
        #expect(try database.count("SELECT count(*) FROM child") == 0)
    }

    @Test func aFullDatabaseIsNobodysFault() async throws {
        try await database.pool.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        let large = Work(
            body: { try TestDatabase.note($0, String(repeating: "x", count: 100_000)) },
            afterFailure: { _, _ in Issue.record("a full database is no failure of the piece") })
        let results = await run([.note("a"), large, .note("c")], on: database.writer())
        #expect(results[0].isCommitted && results[2].isCommitted)
        guard case .refused(.full) = results[1] else {
            Issue.record("expected a full database, got \(results[1])")
            return
        }
        #expect(try database.notes() == ["a", "c"])
    }

    @Test func aLockHeldElsewhereRefusesWithoutWritingAnything() async throws {
        try await database.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 20") }
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: database.pool.path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        let results = await run([.note("a"), .note("b")], on: database.writer())
        for result in results {
            guard case .refused(.busy) = result else {
                Issue.record("expected a busy database, got \(result)")
                continue
            }
        }
        try await other.writeWithoutTransaction { try $0.rollback() }
        #expect(await run([.note("c")], on: database.writer()).allSatisfy { $0.isCommitted })
        #expect(try database.notes() == ["c"])
    }

    @Test func theValueOfAPieceIsGivenBack() async throws {
        let writer = database.writer()
        #expect(try await writer.perform { db, _ in try Int.fetchOne(db, sql: "SELECT 42") } == 42)
        await #expect(throws: Planned.self) { try await writer.perform { _, _ in throw Planned() } }
    }

    @Test func whatAFailedPieceCountedIsNotCounted() async throws {
        let writer = database.writer()
        try await writer.perform { _, context in context.count(.checkBacks) }
        try? await writer.perform { _, context in
            context.count(.checkBacks)
            throw Planned()
        }
        #expect(try database.count("SELECT value FROM escrow_counter WHERE name = 'checkBacks'") == 1)
    }

    // MARK: Support

    private struct Work {
        var body: @Sendable (Database) throws -> Void
        var afterFailure: (@Sendable (Database, any Error) throws -> Void)?

        static func note(_ text: String) -> Work { Work(body: { try TestDatabase.note($0, text) }) }

        static func failing(_ text: String) -> Work {
            Work(body: { db in
                try TestDatabase.note(db, text)
                throw Planned()
            })
        }
    }

    private func run(_ work: [Work], on writer: Writer) async -> [PieceResult] {
        let box = ResultsBox(count: work.count)
        return await withCheckedContinuation { continuation in
            writer.add(
                work.enumerated().map { index, work in
                    var piece = Piece(
                        body: { db, _ in try work.body(db) },
                        completion: { result in
                            if let all = box.set(result, at: index) { continuation.resume(returning: all) }
                        })
                    if let after = work.afterFailure { piece.afterFailure = { db, _, error in try after(db, error) } }
                    return piece
                })
        }
    }
}

private final class ResultsBox: Sendable {
    private let results: Mutex<[PieceResult?]>

    init(count: Int) {
        results = Mutex(Array(repeating: nil, count: count))
    }

    /// - Returns: all of them, when this was the last.
    func set(_ result: PieceResult, at index: Int) -> [PieceResult]? {
        results.withLock { results in
            results[index] = result
            let all = results.compactMap(\.self)
            return all.count == results.count ? all : nil
        }
    }
}

extension PieceResult {
    var isCommitted: Bool {
        if case .committed = self { true } else { false }
    }
}
