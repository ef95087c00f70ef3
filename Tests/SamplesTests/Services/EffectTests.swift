import Escrow
import Foundation
import GRDB
import Logging
import MQProtocol
import Synchronization
import ShopEvents
import Testing

@testable import RegistrationMail

@Suite struct EffectTests {
    private let database: DatabaseQueue
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000))

    init() throws {
        database = try DatabaseQueue()
        try RegistrationService.tables.make(in: database)
        try database.write { db in
            try db.execute(
                sql: "INSERT INTO account (address, name, phone, registered) VALUES ('a@example.org', 'Ada', '1', 1)")
            try EffectTable.plan(db, .mail, for: "a@example.org", now: Timestamp(milliseconds: 1))
            try EffectTable.plan(db, .sms, for: "a@example.org", now: Timestamp(milliseconds: 1))
            try EffectTable.plan(db, .mail, for: "a@example.org", now: Timestamp(milliseconds: 2))
        }
    }

    /// A file of a version that did not say who performs: what it left attempted counts as abandoned.
    @Test func aFileOfTheFirstVersionIsTakenOver() async throws {
        let old = try DatabaseQueue()
        try RegistrationService.tables.make(in: old, upTo: "registration")
        try await old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO account (address, name, registered) VALUES ('b@example.org', 'Bob', 1);
                    INSERT INTO effect (address, kind, state, not_before)
                        VALUES ('b@example.org', 'mail', 'attempted', 1);
                    """)
        }
        try RegistrationService.tables.make(in: old)
        let attempts = try await old.read { try EffectTable.attempts($0) }
        #expect(attempts.map(\.id) == [1])
        #expect(attempts.map(\.holder) == [""])
        #expect(attempts.map(\.begun) == [Timestamp(milliseconds: 0)])
    }

    private func runner(_ perform: @escaping EffectPerformer) -> EffectRunner {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return EffectRunner(
            database: database, performers: [.mail: perform, .sms: perform],
            policies: [.mail: .atLeastOnce, .sms: .atMostOnce], time: .manual(clock), logger: logger,
            alarm: Alarm())
    }

    private func states() throws -> [String] {
        try database.read { try String.fetchAll($0, sql: "SELECT kind || ' ' || state FROM effect ORDER BY id") }
    }

    @Test func aWelcomeIsPlannedOnceAndSentOnce() async throws {
        let performed = Mutex<[Effect.Kind]>([])
        let runner = runner { effect in
            performed.withLock { $0.append(effect.kind) }
            return .sent
        }
        #expect(try states() == ["mail planned", "sms planned"])
        _ = try await runner.performBatch()
        _ = try await runner.performBatch()
        #expect(try states() == ["mail sent", "sms sent"])
        #expect(performed.withLock { $0 } == [.mail, .sms])
    }

    /// The row says so before anything happens outside.
    @Test func anAttemptIsOnRecordWhileItHappens() async throws {
        let seen = Mutex<[String]>([])
        let runner = runner { _ in
            let found = (try? states()) ?? []
            seen.withLock { $0 = found }
            return .sent
        }
        _ = try await runner.performBatch()
        #expect(seen.withLock { $0 } == ["mail attempted", "sms attempted"])
    }

    @Test func anInterruptedAttemptIsRepeatedOrUnknownByChoice() async throws {
        let runner = runner { _ in .sent }
        let space = try #require(runner.holder.text.split(separator: "/").first)
        // No process has that number: Linux gives none above 4,194,304.
        let gone = Holder(host: String(space), processID: 4_194_305)
        try await attempt(by: gone.text)
        try await runner.recover()
        #expect(try states() == ["mail planned", "sms unknown"])
        _ = try await runner.performBatch()
        #expect(try states() == ["mail sent", "sms unknown"])
    }

    private func attempt(by holder: String) async throws {
        let now = clock.now()
        try await database.write { _ = try EffectTable.attempt($0, by: holder, limit: 10, now: now) }
    }

    /// A second process that starts leaves alone what the first performs: it happens once, and is known to have.
    @Test func whatALiveProcessPerformsIsLeftAlone() async throws {
        let runner = runner { _ in .sent }
        let space = try #require(runner.holder.text.split(separator: "/").first)
        // The parent of this process lives.
        let live = Holder(host: String(space), processID: getppid())
        try await attempt(by: live.text)
        try await runner.recover()
        #expect(try states() == ["mail attempted", "sms attempted"])
        // Nobody performs for an hour.
        clock.advance(by: EffectRunner.longestAttempt)
        try await runner.recover()
        #expect(try states() == ["mail planned", "sms unknown"])
    }

    /// Stopped and started again in one process, as by an interruption.
    @Test func aServiceThatWasStoppedInThisProcessIsGone() async throws {
        let stopped = runner { _ in .sent }
        try await attempt(by: stopped.holder.text)
        try await runner { _ in .sent }.recover()
        #expect(try states() == ["mail planned", "sms unknown"])
    }

    /// It was taken for abandoned, and was not: what is certain replaces what was thought.
    @Test func aLateSuccessMakesTheUnknownSent() async throws {
        try await attempt(by: "host/1/1")
        let ids = try await database.read { try EffectTable.attempts($0).map(\.id) }
        let runner = runner { _ in .sent }
        clock.advance(by: EffectRunner.longestAttempt)
        try await runner.recover()
        #expect(try states() == ["mail planned", "sms unknown"])
        try await database.write { db in
            for id in ids { try EffectTable.sent(db, id, now: Timestamp(milliseconds: 9)) }
        }
        #expect(try states() == ["mail sent", "sms sent"])
    }

    /// The failure of an attempt that was taken over says nothing of the next one.
    @Test func aLateFailureOfAnEarlierHolderIsIgnored() async throws {
        try await attempt(by: "other")
        try await database.write { db in
            let late = Timestamp(milliseconds: 1)
            try EffectTable.planAgain(db, 1, by: "first", reason: "late", notBefore: late)
            try EffectTable.giveUp(db, 2, by: "first", as: .unknown, reason: "late", now: late)
        }
        #expect(try states() == ["mail attempted", "sms attempted"])
    }

    /// What must not happen twice ends some time, and is known not to have happened; the other is never given up.
    @Test func aFailureIsTriedAgainForEverOrGivenUpByChoice() async throws {
        let runner = runner { _ in .failed("no route") }
        _ = try await runner.performBatch()
        #expect(try states() == ["mail planned", "sms planned"])
        _ = try await runner.performBatch()
        #expect(try await attempts() == [1, 1])
        for _ in 0..<20 {
            clock.advance(by: .seconds(64))
            _ = try await runner.performBatch()
        }
        #expect(try states() == ["mail planned", "sms failed"])
        #expect(try await attempts() == [21, 10])
        let reasons = try await database.read { try String.fetchAll($0, sql: "SELECT reason FROM effect ORDER BY id") }
        #expect(reasons == ["no route", "no route, after 10 attempts"])
        clock.advance(by: .seconds(64))
        _ = try await self.runner { _ in .sent }.performBatch()
        #expect(try states() == ["mail sent", "sms failed"])
    }

    private func attempts() async throws -> [Int] {
        try await database.read { try Int.fetchAll($0, sql: "SELECT attempts FROM effect ORDER BY id") }
    }

    /// Attempts that fail take longer than the pause behind them: there is always one that is due.
    @Test func whatFailsForEverHoldsUpNobody() async throws {
        let performed = Mutex<[String]>([])
        let runner = runner { [clock] effect in
            performed.withLock { $0.append(effect.address) }
            guard effect.address.hasPrefix("gone") else { return .sent }
            clock.advance(by: .seconds(5))
            return .failed("no such user")
        }
        let now = clock.now()
        try await database.write { db in
            for number in 0..<32 { try Self.register(db, "gone\(number)@example.org", now: now) }
        }
        for _ in 0..<20 {
            clock.advance(by: .seconds(64))
            _ = try await runner.performBatch()
        }
        let later = clock.now()
        try await database.write { try Self.register($0, "new@example.org", now: later) }
        for _ in 0..<3 { _ = try await runner.performBatch() }
        #expect(performed.withLock { $0 }.contains("new@example.org"))
    }

    private static func register(_ db: Database, _ address: String, now: Timestamp) throws {
        try db.execute(
            sql: "INSERT INTO account (address, name, registered) VALUES (?, 'Nobody', 1)", arguments: [address])
        try EffectTable.plan(db, .mail, for: address, now: now)
    }

    @Test func whatNobodyKnowsIsRepeatedOrLeftByChoice() async throws {
        let runner = runner { _ in .unknown("no answer") }
        _ = try await runner.performBatch()
        #expect(try states() == ["mail planned", "sms unknown"])
    }

    // MARK: Mails

    private func effect(_ name: String) -> Effect {
        Effect(id: 7, kind: .mail, address: "a@example.org", name: name, phone: nil, attempts: 1)
    }

    @Test func namesFromTheWireEndNoHeader() {
        for name in [
            "Ada\r\nBcc: all@example.org", "Ada\n\nbody", "Ad\"a", "Zoë 李雷 " + String(repeating: "ü", count: 80),
        ] {
            let mail = Mail.welcome(effect(name), from: "shop@localhost", date: "Thu, 1 Jan 1970 00:00:00 +0000")
            let header = mail.components(separatedBy: "\r\n\r\n")[0].components(separatedBy: "\r\n")
            #expect(!header.contains { $0.hasPrefix("Bcc") })
            #expect(header.allSatisfy { $0.utf8.count <= 120 && $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } })
            #expect(header.contains("Message-ID: <welcome-7@localhost>"))
        }
    }

    @Test func addressesThatCouldDoHarmAreRefused() {
        #expect(Mail.isAddress("ada.lovelace+shop@example.org"))
        for text in [
            "", "a", "@", "a@", "@b", "a@b@c", "-oQ@example.org", "a b@c", "a@b\n", "a@b>", "a,b@c", "ü@example.org",
            String(repeating: "x", count: 200) + "@b",
        ] {
            #expect(!Mail.isAddress(text), "\(text)")
        }
    }

    @Test func mailsAreWrittenUnderTheirNumbers() throws {
        let folder = try TemporaryFolder()
        let outbox = try OutboxFolder(folder.url.appending(path: "mails"))
        let file = outbox.file(7, ending: "eml")
        #expect(outbox.write("one", to: file) == .sent)
        #expect(outbox.write("two", to: file) == .sent)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("mails")) == ["welcome-7.eml"])
        #expect(try String(contentsOf: file, encoding: .utf8) == "two")
    }

    /// Every other effect would wait for it.
    @Test(.timeLimit(.minutes(1)))
    func aCommandThatDoesNotEndIsKilled() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000))
        let folder = try TemporaryFolder()
        let mail = URL(filePath: try folder.write("To: a@example.org", to: "mail.eml"))
        let ready = folder.path("ready")
        let pipe = try Process.run(URL(filePath: "/usr/bin/mkfifo"), arguments: [ready])
        pipe.waitUntilExit()
        #expect(pipe.terminationStatus == 0)
        // It ignores the request to end, and says so before the clock moves.
        let deaf = MailCommand("/bin/sh", arguments: ["-c", "trap '' TERM; echo > '\(ready)'; exec tail -f /dev/null"])
        async let result = deaf.send(mail, time: .manual(clock))
        #expect(try FileHandle(forReadingFrom: URL(filePath: ready)).readToEnd() == Data("\n".utf8))
        await clock.waitForSleepers(count: 1)
        clock.advance(by: MailCommand.limit)
        await clock.waitForSleepers(count: 1)
        clock.advance(by: MailCommand.grace)
        #expect(await result == .unknown("/bin/sh was ended by signal 9"))
    }

    @Test(.timeLimit(.minutes(1)))
    func aCommandGetsTheMailOnItsInput() async throws {
        let folder = try TemporaryFolder()
        let mail = URL(filePath: try folder.write("To: a@example.org\r\n\r\nhello", to: "mail.eml"))
        let copy = folder.path("copy")
        let tee = MailCommand("/usr/bin/tee", arguments: [copy])
        #expect(await tee.send(mail, time: .system) == .sent)
        #expect(try String(contentsOfFile: copy, encoding: .utf8) == "To: a@example.org\r\n\r\nhello")
        let failing = await MailCommand("/bin/false", arguments: []).send(mail, time: .system)
        #expect(failing == .failed("/bin/false ended with status 1"))
        guard case .failed = await MailCommand(folder.path("missing"), arguments: []).send(mail, time: .system) else {
            Issue.record("a program that is not there was started")
            return
        }
    }
}
