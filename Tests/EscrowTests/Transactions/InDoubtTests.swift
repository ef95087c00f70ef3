import GRDB
import MQClient
import MQProtocol
import Synchronization
import Testing

@testable import Escrow

/// COMMIT failed, and nobody knows whether it happened.
@Suite(.timeLimit(.minutes(1))) struct InDoubtTests {
    private let database: TestDatabase
    private let escrow: Escrow
    private let disk = FailingCommit()

    init() throws {
        database = try TestDatabase()
        escrow = try Escrow("shop", database: database.pool, configuration: .embedded())
        database.pool.add(transactionObserver: disk, extent: .databaseLifetime)
    }

    private func place() async throws -> TransactionResult<Int> {
        try await escrow.transaction(idempotencyKey: "place/17", kind: "place") { tx in
            try TestDatabase.note(tx.database, "placed")
            return 17
        }
    }

    private func doubt(_ result: TransactionResult<Int>) throws -> InDoubtTransaction {
        guard case .inDoubt(let transaction) = result else { throw Planned(text: "expected doubt, got \(result)") }
        #expect(throws: TransactionNotCommitted.self) { _ = try result.get() }
        #expect(result.value == nil)
        return transaction
    }

    /// The disk has failed before the commit record: the fence is not there, and one against it is written.
    @Test func whatDidNotReachTheFileIsRolledBackForGood() async throws {
        disk.fail()
        let transaction = try doubt(try await place())
        #expect(transaction.reason.contains("database fails"), "\(transaction.reason)")
        #expect(try await transaction.settle() == .rollback)
        #expect(try await transaction.settle() == .rollback)
        #expect(try database.notes() == [])
        let verdict = try await database.pool.read { try Fence.verdict($0, transaction.id) }
        #expect(verdict == .rollback)
        // The same call can be made again.
        #expect(try await place().get() == 17)
        #expect(try database.notes() == ["placed"])
    }

    /// The commit record has reached the file; only the answer is missing.
    @Test func whatReachedTheFileIsCommitted() async throws {
        guard case .committed(_, let receipt) = try await place() else { throw Planned(text: "no commit") }
        let transaction = InDoubtTransaction(id: receipt.id, writer: escrow.writer, reason: "unknown")
        #expect(try await transaction.settle() == .commit)
        #expect(try database.notes() == ["placed"])
    }

    /// While the disk fails, settling says so and decides nothing.
    @Test func aDatabaseThatStillFailsDecidesNothing() async throws {
        disk.fail()
        let transaction = try doubt(try await place())
        disk.fail()
        do {
            let verdict = try await transaction.settle()
            Issue.record("settled as \(verdict)")
        } catch {
            #expect((error as? EscrowError)?.code == .databaseFailed)
        }
        #expect(try await transaction.settle() == .rollback)
    }

    /// All pieces of the group but one that had failed before.
    @Test func aGroupIsInDoubtTogether() async throws {
        let pieces = [
            Piece(body: { db, _ in try TestDatabase.note(db, "one") }, completion: { _ in }),
            Piece(body: { _, _ in throw Planned() }, completion: { _ in }),
            Piece(body: { db, _ in try TestDatabase.note(db, "two") }, completion: { _ in }),
        ]
        // On a busy machine the time that a group may take would divide this one.
        let results = try await database.pool.writeWithoutTransaction { [disk] db in
            disk.fail()
            return GroupRunner(db: db, time: .system, steps: .none, longest: .seconds(60)).run(pieces).results
        }
        let seen = results.map { result in
            switch result {
            case .committed: "committed"
            case .failed: "failed"
            case .refused: "refused"
            case .inDoubt: "in doubt"
            }
        }
        #expect(seen == ["in doubt", "refused", "in doubt"])
        #expect(try database.notes() == [])
    }
}

/// Lets the next COMMIT of a connection fail as a failing disk does.
private final class FailingCommit: TransactionObserver, Sendable {
    private let isFailing = Mutex(false)

    func fail() {
        isFailing.withLock { $0 = true }
    }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }

    func databaseDidChange(with event: DatabaseEvent) {}

    func databaseWillCommit() throws {
        let isDue = isFailing.withLock { isFailing in
            defer { isFailing = false }
            return isFailing
        }
        if isDue { throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC, message: "disk I/O error") }
    }

    func databaseDidCommit(_ db: Database) {}

    func databaseDidRollback(_ db: Database) {}
}
