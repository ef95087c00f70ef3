import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Synchronization
import Testing

@testable import Escrow
@testable import MQClient

/// Check-backs at the database alone: what is listed for a person, and when it is not listed any more.
@Suite(.timeLimit(.minutes(1))) struct AnsweringTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
    }

    private func checks(_ writer: Writer? = nil, _ checkers: [String: TransactionChecker] = [:]) -> CheckBacks {
        CheckBacks(
            writer: writer ?? database.writer(), identity: database.store.identity, checkers: checkers,
            fenceRetention: .seconds(3600), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func question(
        _ id: TransactionID = .random(), kind: String = TransactionKind.fenced, owner: String? = nil
    ) throws -> CheckBack {
        var message = try ReceivedMessage.delivery(Noted(text: "a"))
        message.properties = ReceivedProperties([
            EventProperty.database: owner ?? database.store.identity, EventProperty.transaction: id.description,
            EventProperty.kind: kind,
        ])
        message.bornTimestamp = TimeSource.system.now()
        let half = HalfMessage(
            topic: "notes", brokerName: "b", brokerAddress: "127.0.0.1:1", queueID: 0, logOffset: 1, queueOffset: 1,
            messageID: "ID", transactionID: "ID", status: .stored, keepsVerdictsFinal: true)
        return CheckBack(message: message, half: half, brokerAddress: "127.0.0.1:1", messageID: "ID")
    }

    private func listed() throws -> Int { try database.count("SELECT count(*) FROM escrow_unresolved") }

    /// The service was started without its checker, and then with it.
    @Test func whatGetsAVerdictAfterAllIsListedNoMore() async throws {
        let check = try question(kind: "legacy")
        #expect(await checks().verdict(check) == .unknown)
        #expect(await checks(nil, ["legacy": { _ in .unknown }]).verdict(check) == .unknown)
        #expect(try listed() == 1)
        #expect(await checks(nil, ["legacy": { _ in .commit }]).verdict(check) == .commit)
        #expect(try listed() == 0)
        #expect(try database.count("SELECT value FROM escrow_counter WHERE name = 'checkBacks'") == 1)
    }

    @Test func aVerdictFromTheFenceClearsTheListToo() async throws {
        let check = try question()
        let stranger = try question(owner: String(repeating: "b", count: 32))
        #expect(await checks().verdict(stranger) == .unknown)
        #expect(try listed() == 1)
        #expect(await checks().verdict(check) == .rollback)
        #expect(try listed() == 0)
    }

    /// Checkers of one kind that do not return keep nobody else waiting.
    @Test func checkersThatHangStopNoOtherKind() async throws {
        let clock = ManualClock(start: TimeSource.system.now())
        let never = Kept()
        let checks = checks(
            database.writer(time: .manual(clock)),
            [
                "hung": { _ in await withCheckedContinuation { never.keep($0) } }, "quick": { _ in .commit },
            ])
        let (hung, quick, own) = (try question(kind: "hung"), try question(kind: "quick"), try question())
        await withTaskGroup(of: Verdict.self) { tasks in
            for _ in 0..<CheckerRuns.places { tasks.addTask { await checks.verdict(hung) } }
            await clock.waitForSleepers(count: CheckerRuns.places)
            #expect(await checks.verdict(hung) == .unknown)
            #expect(await checks.verdict(quick) == .commit)
            #expect(await checks.verdict(own) == .rollback)
            clock.advance(by: CheckerRuns.patience)
            for await verdict in tasks { #expect(verdict == .unknown) }
        }
        // Their places are theirs until they return.
        #expect(await checks.verdict(hung) == .unknown)
        never.resumeAll(returning: .commit)
    }

    /// The question comes when everything is written and nothing committed: the answer waits, and is never rollback.
    @Test func aCheckBackWhileTheTransactionIsOpenWaitsForItsCommit() async throws {
        let id = TransactionID.random()
        let open = OpenTransaction()
        let writer = database.writer(steps: open.steps)
        async let committed: Void = writer.perform { db, context in
            _ = try Fence.enter(db, id, kind: TransactionKind.fenced, key: nil, now: context.now)
            try TestDatabase.note(db, "placed")
            open.holdCommit()
        }
        await open.isHeld()
        #expect(try database.count("SELECT count(*) FROM escrow_fence") == 0)
        let check = try question(id)
        #expect(await checks(writer).verdict(check) == .commit)
        try await committed
        #expect(try database.notes() == ["placed"])
    }
}

/// Continuations that are resumed at the end.
private final class Kept: Sendable {
    private let kept = Mutex<[CheckedContinuation<Verdict, Never>]>([])

    func keep(_ continuation: CheckedContinuation<Verdict, Never>) {
        kept.withLock { $0.append(continuation) }
    }

    func resumeAll(returning verdict: Verdict) {
        for continuation in kept.withLock({ $0 }) { continuation.resume(returning: verdict) }
    }
}
