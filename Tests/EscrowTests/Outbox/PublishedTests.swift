import GRDB
import MQProtocol
import Synchronization
import Testing

@testable import Escrow

/// What is handed to the relay without being read back: exactly what is in the outbox.
@Suite(.timeLimit(.minutes(1))) struct PublishedTests {
    private let database: TestDatabase
    private let writer: Writer
    private let said = Said()

    init() throws {
        database = try TestDatabase()
        writer = database.writer()
        let said = said
        writer.whenPublished { said.add($0) }
    }

    private static func publish(_ db: Database, _ context: GroupContext, _ text: String) throws {
        try context.publish(db, try OutgoingEvent(Noted(text: text), in: Namespace(nil)))
    }

    private func stored() throws -> [OutboxRow] {
        try database.pool.read { try OutboxTable.rows($0, after: 0, limit: 100) }
    }

    @Test func rowsAreHandedOverAsTheyAreStored() async throws {
        try await writer.perform { db, context in
            try Self.publish(db, context, "a")
            try Self.publish(db, context, "b")
        }
        try await writer.perform { db, _ in try TestDatabase.note(db, "no row") }
        let stored = try stored()
        #expect(stored.count == 2)
        guard said.all.count == 1, case .rows(let rows) = said.all[0] else {
            Issue.record("expected one hand-over, got \(said.all)")
            return
        }
        #expect(rows == stored)
    }

    @Test func whatAFailedPieceWroteIsNotHandedOver() async throws {
        try? await writer.perform { db, context in
            try Self.publish(db, context, "undone")
            throw Planned()
        }
        #expect(said.all.isEmpty)
        #expect(try stored().isEmpty)
    }

    /// A body may undo a part of its own writes, before or behind others: then the outbox is read.
    @Test(arguments: [["a", "-b"], ["-a", "b"], ["a", "-b", "c"], ["-a"]])
    func whatABodyUndidItselfIsNotHandedOver(_ events: [String]) async throws {
        try await writer.perform { db, context in
            for event in events {
                try db.inSavepoint {
                    try Self.publish(db, context, event)
                    return event.hasPrefix("-") ? .rollback : .commit
                }
            }
        }
        guard said.all.count == 1, case .unread = said.all[0] else {
            Issue.record("expected to be told to read, got \(said.all)")
            return
        }
        let kept = events.filter { !$0.hasPrefix("-") }
        #expect(try stored().count == kept.count)
    }
}

private final class Said: Sendable {
    private let said = Mutex<[Published]>([])

    func add(_ published: Published) {
        said.withLock { $0.append(published) }
    }

    var all: [Published] { said.withLock { $0 } }
}
