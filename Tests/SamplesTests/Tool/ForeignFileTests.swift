import Foundation
import GRDB
import ProcessSupport
import Testing

/// The commands that show databases change none, and are not stopped by what is none.
@Suite(.timeLimit(.minutes(1))) struct ForeignFileTests {
    private let shop: GoodShop
    private static let commands = ["in-doubt", "deadlines", "dead-letters", "inbox"]

    init() throws {
        shop = try GoodShop()
    }

    private func path(_ name: String) -> String { shop.directory + "/" + name }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }

    /// A database of somebody else, with a rollback journal, as SQLite makes them.
    private func makeForeignDatabase(_ name: String) throws {
        let queue = try DatabaseQueue(path: path(name))
        try queue.write { try $0.execute(sql: "CREATE TABLE mine (text TEXT); INSERT INTO mine VALUES ('mine')") }
        try queue.close()
    }

    @Test(arguments: commands) func whatIsNoServicesDatabaseIsSkippedAndKept(_ command: String) async throws {
        try makeForeignDatabase("foreign.db")
        let foreign = try bytes("foreign.db")
        try Data().write(to: URL(filePath: path("empty.sqlite")))
        try Data("some notes\n".utf8).write(to: URL(filePath: path("notes.db")))
        try FileManager.default.createDirectory(atPath: path("folder.db"), withIntermediateDirectories: true)
        let before = try FileManager.default.contentsOfDirectory(atPath: shop.directory).sorted()

        let run = try await CompletedProcess.run("escrow", [command, "--store", shop.directory, "--json"])
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.errors.count == 4, "\(run.errors)")
        for name in ["empty.sqlite", "folder.db", "foreign.db", "notes.db"] {
            #expect(run.errors.contains { $0.contains("/\(name): ") }, "\(name)")
        }
        #expect(try bytes("foreign.db") == foreign)
        #expect(try bytes("empty.sqlite").isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.directory).sorted() == before)
    }

    @Test func aServiceThatIsNamedIsTheOnlyOneOpened() async throws {
        try Data("some notes\n".utf8).write(to: URL(filePath: path("notes.db")))
        let run = try await CompletedProcess.run(
            "escrow", ["inbox", "--store", shop.directory, "--service", "orders", "--json"])
        #expect(run.exit == .code(0))
        #expect(run.errors == [])
        let unknown = try await CompletedProcess.run(
            "escrow", ["inbox", "--store", shop.directory, "--service", "nobody"])
        #expect(unknown.exit == .code(2))
        #expect(unknown.errors.first?.contains("inventory, notes, orders, registration") == true, "\(unknown.errors)")
    }

    @Test func aDecisionIsWrittenAndNothingElse() async throws {
        try makeForeignDatabase("foreign.db")
        let foreign = try bytes("foreign.db")
        let run = try await CompletedProcess.run(
            "escrow", ["dead-letters", "redrive", "--all", "--store", shop.directory])
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.output == ["0 letters will be handled again by the running service, or at its next start."])
        #expect(try bytes("foreign.db") == foreign)
    }

    // MARK: A directory that cannot be written

    /// A user who may read everything and write nothing there. Root may write everywhere, so it lends itself to nobody.
    private func asReader(_ arguments: [String]) async throws -> CompletedProcess {
        guard geteuid() == 0 else { return try await CompletedProcess.run("escrow", arguments) }
        return try await CompletedProcess.run(
            "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "escrow"] + arguments)
    }

    private func copy(_ names: [String]) throws -> (folder: TemporaryFolder, path: String) {
        let folder = try TemporaryFolder()
        let target = folder.path("store")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for name in names { try FileManager.default.copyItem(atPath: path(name), toPath: target + "/" + name) }
        for file in [target] + names.map({ target + "/" + $0 }) {
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: file)
        }
        return (folder, target)
    }

    @Test func aStoreThatCannotBeWrittenIsShown() async throws {
        try await shop.orders.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        let (folder, store) = try copy(["orders.sqlite"])
        let run = try await asReader(["inbox", "--store", store, "--json"])
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.output.last?.contains("reserved/paid") == true)
        let redrive = try await asReader(["dead-letters", "redrive", "--all", "--store", store])
        #expect(redrive.exit == .code(64))
        #expect(redrive.errors.first?.contains("cannot be written") == true, "\(redrive.errors)")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: store)
        _ = folder
    }

    /// What stands in the log would be missing without it.
    @Test func aLogThatCannotBeReadIsNamed() async throws {
        try await shop.orders.write { try $0.execute(sql: "DELETE FROM escrow_deadline") }
        let (folder, store) = try copy(["orders.sqlite", "orders.sqlite-wal"])
        let run = try await asReader(["deadlines", "--store", store])
        #expect(run.exit == .code(64))
        #expect(run.errors.count == 1)
        #expect(run.errors.first?.contains("orders.sqlite-wal") == true, "\(run.errors)")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: store)
        _ = folder
    }
}
