import Foundation
import GRDB
import ProcessSupport
import Testing

/// The program as a person types it.
@Suite struct ToolTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func escrow(_ arguments: String...) async throws -> CompletedProcess {
        try await CompletedProcess.run("escrow", arguments)
    }

    private func objects(_ process: CompletedProcess) throws -> [[String: String]] {
        try JSONDecoder().decode([[String: String]].self, from: Data(try #require(process.output.last).utf8))
    }

    // MARK: The services alone

    @Test(.timeLimit(.minutes(1)), arguments: ["order-service", "inventory-service", "registration-mail"])
    func aServiceNamesAFileThatItCannotUse(_ program: String) async throws {
        for path in [try folder.write("no database\n", to: "plain.txt"), folder.path("missing/service.sqlite")] {
            let run = try await CompletedProcess.run(program, ["-n", "127.0.0.1:1", "--store", path])
            #expect(run.exit == .code(64))
            #expect(run.errors.first?.hasPrefix("\(path) cannot be the service's database: ") ?? false, "\(run.errors)")
        }
    }

    // MARK: The flow

    @Test(.timeLimit(.minutes(1)))
    func replayEndsWithOneObject() async throws {
        let file = try OrderCSV(invoices: 40, in: folder)
        let run = try await escrow("replay", file.path, "--unpaid", "20", "--timeout", "500ms", "--json")
        #expect(run.exit == .code(0))
        #expect(run.errors.count == 2, "\(run.errors)")
        #expect(run.errors.allSatisfy { $0.hasPrefix("line ") })
        let last = Data(try #require(run.output.last).utf8)
        let report = try #require(try JSONSerialization.jsonObject(with: last) as? [String: Any])
        for key in [
            "orders", "paid", "cancelled", "rejected", "refunds", "returns", "skippedLines", "malformedRows",
            "unitsSold",
            "unitsReturned", "duplicatesSuppressed", "deadlinesFired", "checkBacks", "deadLetters", "violations",
            "seconds",
        ] {
            #expect(report[key] is NSNumber, "\(key)")
        }
        #expect(report["orders"] as? Int64 == file.expected.orders)
        #expect(report["violations"] as? Int == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func theDemoPrintsAReport() async throws {
        let run = try await escrow("demo", "--orders", "60", "--timeout", "0.5", "--store", folder.path("demo"))
        #expect(run.exit == .code(0))
        #expect(run.errors == [])
        #expect(run.output.last == "Nothing lost, doubled or forgotten.")
        #expect(run.output.filter { $0.contains("✔") }.count > 15)
        #expect(!run.output.contains { $0.contains("✘") })

        let fired = try await escrow("deadlines", "--store", folder.path("demo"), "--state", "all", "--json")
        #expect(try objects(fired).allSatisfy { $0["service"] == "orders" && $0["name"] == "payment" })
        let inbox = try await escrow("inbox", "--store", folder.path("demo"), "--service", "registration", "--json")
        #expect(try objects(inbox).count == 8)
        let doubt = try await escrow("in-doubt", "--store", folder.path("demo"), "--json")
        #expect(try objects(doubt) == [])

        let other = try await escrow("demo", "--orders", "61", "--store", folder.path("demo"))
        #expect(other.exit == .code(64))
        #expect(other.errors.count == 1)
    }

    @Test(.timeLimit(.minutes(1)))
    func whatCannotBeUsedIsRefusedInOneLine() async throws {
        let text = try folder.write("hello\n", to: "hello.txt")
        for arguments in [
            ["replay", text, "--store", folder.path("new")], ["replay", folder.path("missing")],
            ["replay", ""], ["replay", text, "--unpaid", "101"], ["demo", "--timeout", "soon"], ["demo", "-n", ":::"],
        ] {
            let run = try await CompletedProcess.run("escrow", arguments)
            #expect(run.exit == .code(2), "\(arguments) \(run.errors)")
            #expect(run.output == [])
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("new")))
        let broker = try await escrow("demo", "--orders", "1", "-n", "127.0.0.1:1")
        #expect(broker.exit == .code(1))
        #expect(broker.errors.count == 1)
    }

    @Test(.timeLimit(.minutes(1)))
    func aStoreThatCannotBeMadeIsRefusedInOneLine() async throws {
        let file = try folder.write("hello\n", to: "file")
        let taken = try await escrow("demo", "--orders", "1", "--store", file)
        #expect(taken.exit == .code(64))
        #expect(taken.errors == ["escrow: --store \(file) is a file, not a directory."])
        let below = try await escrow("demo", "--orders", "1", "--store", file + "/below")
        #expect(below.exit == .code(64))
        #expect(below.errors == ["escrow: the directory \(file)/below cannot be created: \(file) is a file."])
    }

    // MARK: Databases

    @Test(.timeLimit(.minutes(1)))
    func deadlinesAndInboxesAreShown() async throws {
        let shop = try GoodShop()
        let armed = try await escrow("deadlines", "--store", shop.directory)
        #expect(armed.exit == .code(0))
        #expect(armed.output.first == "inventory")
        let all = try await escrow("deadlines", "--store", shop.directory, "--state", "fired", "--json")
        #expect(try objects(all).map { $0["key"] } == ["late"])
        let inbox = try await escrow("inbox", "--store", shop.directory, "--key", "placed/late", "--json")
        #expect(try objects(inbox).map { $0["consumer"] } == ["warehouse"])
        let table = try await escrow("inbox", "--store", shop.directory)
        #expect(table.output.contains { $0.hasPrefix("inventory: warehouse 6 done") })
    }

    @Test(.timeLimit(.minutes(1)))
    func messagesInDoubtAreShown() async throws {
        let shop = try GoodShop()
        try await shop.orders.write { db in
            try db.execute(
                sql: """
                    INSERT INTO escrow_outbox (topic, tag, idempotency_key, body, created)
                        VALUES ('t', 'E', 'k', x'00', 1);
                    INSERT INTO escrow_unresolved VALUES ('m', 'too old', 't', 2, 3, 4)
                    """)
        }
        let shown = try await escrow("in-doubt", "--store", shop.directory, "--json")
        #expect(try objects(shown).map { $0["event"] } == ["E k", "m"])
        let table = try await escrow("in-doubt", "--store", shop.directory, "--service", "orders")
        #expect(table.output.contains { $0.contains("too old") })
    }

    @Test(.timeLimit(.minutes(1)))
    func deadLettersAreShownAndDecided() async throws {
        let shop = try GoodShop()
        try await shop.orders.write { db in
            for key in ["a", "b", "c"] {
                try db.execute(
                    sql: """
                        INSERT INTO escrow_dead_letter (consumer, idempotency_key, topic, tag, body, message_id, reason,
                            attempts, born, failed, state)
                        VALUES ('c', ?, 't', 'E', x'00', 'm', 'it broke', 3, 1, 1, 'open')
                        """,
                    arguments: [key])
            }
        }
        let store = ["--store", shop.directory]
        let list = try await CompletedProcess.run("escrow", ["dead-letters", "--json"] + store)
        #expect(try objects(list).map { $0["id"] } == ["orders/1", "orders/2", "orders/3"])
        let shown = try await CompletedProcess.run("escrow", ["dead-letters", "show", "orders/2"] + store)
        #expect(shown.output.contains("reason     it broke") && shown.output.contains("body       x'00'"))
        let missing = try await CompletedProcess.run("escrow", ["dead-letters", "show", "orders/9"] + store)
        #expect(missing.exit == .code(1))
        let redrive = try await CompletedProcess.run("escrow", ["dead-letters", "redrive", "orders/1"] + store)
        #expect(redrive.exit == .code(0))
        let again = try await CompletedProcess.run("escrow", ["dead-letters", "redrive", "orders/1"] + store)
        #expect(again.exit == .code(1))
        let discard = try await CompletedProcess.run("escrow", ["dead-letters", "discard", "--all"] + store)
        #expect(discard.output == ["2 letters discarded."])
        let left = try await CompletedProcess.run(
            "escrow", ["dead-letters", "list", "--state", "wanted", "--json"] + store)
        #expect(try objects(left).map { $0["id"] } == ["orders/1"])
        let wrong = try await CompletedProcess.run("escrow", ["dead-letters", "redrive"] + store)
        #expect(wrong.exit == .code(2))
    }

    @Test(.timeLimit(.minutes(1)))
    func aDirectoryWithoutServicesIsRefused() async throws {
        for command in ["in-doubt", "deadlines", "inbox", "dead-letters"] {
            let run = try await escrow(command, "--store", folder.path("nothing"))
            #expect(run.exit == .code(64), "\(command)")
            #expect(run.errors.count == 1)
        }
    }
}
