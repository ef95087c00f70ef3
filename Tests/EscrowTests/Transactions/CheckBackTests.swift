import Foundation
import GRDB
import Logging
import MQProtocol
import Synchronization
import Testing

@testable import Escrow
@testable import MQClient

/// What is answered to a broker that asks back.
@Suite struct CheckBackTests {
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000))
    private let database: TestDatabase
    private let id = TransactionID.random()

    init() throws {
        database = try TestDatabase(time: .manual(clock))
    }

    private let moved = Moved()

    /// - Parameter isDelivered: nil when the broker cannot be asked.
    private func ask(isFinal: Bool, isDelivered: Bool? = false) async throws -> Verdict {
        var event = try OutgoingEvent(Noted(text: "a"), in: Namespace(nil))
        event.body = Data("{}".utf8)
        var message = ReceivedMessage.delivery(event)
        message.properties = ReceivedProperties([
            EventProperty.database: database.store.identity, EventProperty.transaction: id.description,
            EventProperty.kind: TransactionKind.fenced,
        ])
        message.bornTimestamp = clock.now()
        let half = HalfMessage(
            topic: "notes", brokerName: "b", brokerAddress: "127.0.0.1:1", queueID: 0, logOffset: 1, queueOffset: 1,
            messageID: "ID", transactionID: "ID", status: .stored, keepsVerdictsFinal: isFinal)
        let checks = CheckBacks(
            writer: database.writer(time: .manual(clock)), identity: database.store.identity, checkers: [:],
            fenceRetention: .seconds(3600), logger: .silent, moved: { [moved] in moved.add($0) },
            isDelivered: { _ in
                guard let isDelivered else { throw MQClientError(.brokerUnreachable, "planted") }
                return isDelivered
            })
        return await checks.verdict(
            CheckBack(message: message, half: half, brokerAddress: "127.0.0.1:1", messageID: "ID"))
    }

    private func commit(withRow: Bool) throws {
        try database.pool.write { db in
            _ = try Fence.enter(db, id, kind: TransactionKind.fenced, key: nil, now: clock.now())
            if withRow {
                let event = try OutgoingEvent(Noted(text: "a"), in: Namespace(nil))
                let half = HalfMessage(
                    topic: "notes", brokerName: "b", brokerAddress: "", queueID: 0, logOffset: 9, queueOffset: 9,
                    messageID: "ID", transactionID: "ID", status: .stored, keepsVerdictsFinal: false)
                try OutboxTable.insert(db, event, fence: id, half: EncodedHalf(half), now: clock.now())
            }
            try Fence.acknowledge(db, [id], now: clock.now())
        }
    }

    @Test(arguments: [true, false])
    func aCommitThatStandsInTheOutboxIsTheRelays(isFinal: Bool) async throws {
        try commit(withRow: true)
        #expect(try await ask(isFinal: isFinal) == .unknown)
        // A stock broker asks about a copy of the half, and takes it for another one.
        let rows = try await database.pool.read { try OutboxTable.rows($0, after: 0, limit: 9) }
        #expect(rows.map { $0.half?.logOffset } == [1] && rows.map { $0.half?.queueOffset } == [1])
        #expect(moved.rows == rows)
        #expect(try await ask(isFinal: isFinal) == .unknown)
        #expect(moved.rows.count == 1)
    }

    /// The original was committed: the copy must not be delivered as well.
    @Test func aCopyOfWhatWasDeliveredComesToNothing() async throws {
        try commit(withRow: false)
        #expect(try await ask(isFinal: false, isDelivered: true) == .rollback)
        clock.advance(by: CheckBacks.crossing)
        #expect(try await ask(isFinal: false, isDelivered: true) == .rollback)
        #expect(try await database.pool.read { try Fence.verdict($0, id) } == .commit)
    }

    /// Not to be found and not to be asked are not the same.
    @Test func aBrokerThatCannotBeAskedIsToldNothing() async throws {
        try commit(withRow: false)
        clock.advance(by: CheckBacks.crossing)
        #expect(try await ask(isFinal: false, isDelivered: nil) == .unknown)
        #expect(try await ask(isFinal: false, isDelivered: false) == .commit)
    }

    @Test func aBrokerThatKeepsVerdictsFinalIsAnsweredAtOnce() async throws {
        try commit(withRow: false)
        #expect(try await ask(isFinal: true) == .commit)
    }

    /// It may not be found yet; a second commit would be delivered twice. Later, the broker has lost it.
    @Test func aCommitThatWasJustAnsweredIsNotSentAgain() async throws {
        try commit(withRow: false)
        #expect(try await ask(isFinal: false) == .unknown)
        clock.advance(by: CheckBacks.crossing)
        #expect(try await ask(isFinal: false) == .commit)
    }

    @Test(arguments: [true, false])
    func whatNeverCommittedIsRolledBackAtOnce(isFinal: Bool) async throws {
        #expect(try await ask(isFinal: isFinal) == .rollback)
        #expect(try await ask(isFinal: isFinal) == .rollback)
    }
}

/// Rows whose half is somewhere else now.
private final class Moved: Sendable {
    private let all = Mutex<[OutboxRow]>([])
    var rows: [OutboxRow] { all.withLock { $0 } }

    func add(_ row: OutboxRow) {
        all.withLock { $0.append(row) }
    }
}
