import Foundation
import GRDB
import Logging
import MQProtocol
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

    private func ask(isFinal: Bool) async throws -> Verdict {
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
            fenceRetention: .seconds(3600), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return await checks.verdict(
            CheckBack(message: message, half: half, brokerAddress: "127.0.0.1:1", messageID: "ID"))
    }

    private func commit(withRow: Bool) throws {
        try database.pool.write { db in
            _ = try Fence.enter(db, id, kind: TransactionKind.fenced, key: nil, now: clock.now())
            if withRow {
                let event = try OutgoingEvent(Noted(text: "a"), in: Namespace(nil))
                try OutboxTable.insert(db, event, fence: id, half: nil, now: clock.now())
            }
            try Fence.acknowledge(db, [id], now: clock.now())
        }
    }

    @Test(arguments: [true, false])
    func aCommitThatStandsInTheOutboxIsTheRelays(isFinal: Bool) async throws {
        try commit(withRow: true)
        #expect(try await ask(isFinal: isFinal) == .unknown)
    }

    @Test func aBrokerThatKeepsVerdictsFinalIsAnsweredAtOnce() async throws {
        try commit(withRow: false)
        #expect(try await ask(isFinal: true) == .commit)
    }

    /// The question may have been asked before the verdict arrived; a second one would be delivered twice.
    @Test func aCommitThatWasJustSentOnceIsNotSentAgain() async throws {
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
