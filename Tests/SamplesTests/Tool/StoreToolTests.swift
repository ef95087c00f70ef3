import Foundation
import Logging
import MQEmbedded
import MQProtocol
import MQStore
import NIOCore
import ProcessSupport
import Testing

/// `escrow store verify` and `escrow store repair`, as a person types them.
@Suite(.timeLimit(.minutes(2))) struct StoreToolTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func store(_ arguments: String...) async throws -> CompletedProcess {
        try await CompletedProcess.run("escrow", ["store"] + arguments)
    }

    /// A broker's whole directory, closed.
    private func makeStore() async throws -> String {
        let directory = folder.path("store")
        let broker = try await EmbeddedBroker.start(EmbeddedBrokerConfiguration(directory: directory))
        await broker.stop()
        try fill(directory, messages: 50)
        return directory
    }

    private func fill(_ directory: String, messages: Int) throws {
        var configuration = StoreConfiguration(directory: directory)
        configuration.segmentBytes = 64 << 20
        configuration.indexSlots = 500_000
        configuration.indexEntries = 2_000_000
        let store = try MessageStore.open(
            configuration, device: FileDevice(), time: .system,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, observer: StoreObserver())
        var batch = store.makeBatch()
        for number in 0..<messages {
            try batch.add(
                MessageDraft(
                    topic: "Orders", queueID: 0, sysFlag: [], bornTimestamp: Timestamp(milliseconds: 1),
                    bornHost: HostAddress(ip: .v4(0x7F00_0001), port: 1),
                    storeHost: HostAddress(ip: .v4(0x7F00_0001), port: 2),
                    body: ByteBuffer(repeating: 0x5A, count: 1000),
                    properties: ByteBuffer(string: "KEYS\u{1}K\(number)")),
                to: store.queue("Orders", 0))
            if batch.count == 256 || number == messages - 1 {
                try store.append(&batch)
                batch.removeAll()
            }
        }
        try store.close()
    }

    @Test func verifyRepairVerify() async throws {
        let directory = try await makeStore()
        let clean = try await store("verify", directory)
        #expect(clean.exit == .code(0), "\(clean.output)")
        #expect(clean.output.count == 1)
        #expect(clean.output.first?.hasPrefix("50 records, 50 queue entries, 50 keys; ") == true)
        #expect(clean.output.first?.hasSuffix("; clean") == true)
        #expect(clean.errors == [])

        let entries = "\(directory)/consumequeue/Orders/0/00000000000000000000"
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: entries))
        try file.seek(toOffset: 205)
        try file.write(contentsOf: Data([1]))
        try file.close()
        let found = try await store("verify", directory)
        #expect(found.exit == .code(67))
        #expect(found.output.contains { $0.hasPrefix("damage  \(entries) at 200: entry 10 ") }, "\(found.output)")
        #expect(found.errors == [])

        let before = try Data(contentsOf: URL(fileURLWithPath: entries))
        let plan = try await store("repair", directory, "--dry-run")
        #expect(plan.exit == .code(67))
        #expect(plan.output.contains("would set \(directory)/consumequeue/Orders/0 aside"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: entries)) == before)

        let repaired = try await store("repair", directory)
        #expect(repaired.exit == .code(0), "\(repaired.output) \(repaired.errors)")
        #expect(repaired.output.last?.hasSuffix("; clean") == true)
        let json = try await store("verify", directory, "--json")
        let last = Data(try #require(json.output.last).utf8)
        let report = try #require(try JSONSerialization.jsonObject(with: last) as? [String: Any])
        #expect(report["clean"] as? Bool == true)
        #expect(report["records"] as? Int == 50)
        #expect((report["findings"] as? [Any])?.isEmpty == true)
    }

    @Test func filesOfTheBrokerAreRestored() async throws {
        let directory = try await makeStore()
        let file = "\(directory)/config/delayOffset.json"
        let good = Data("{\n\t\"offsetTable\":{}\n}".utf8)
        try good.write(to: URL(fileURLWithPath: "\(file).bak"))
        try Data("{torn".utf8).write(to: URL(fileURLWithPath: file))
        let found = try await store("verify", directory)
        #expect(found.exit == .code(67))
        #expect(found.output.first?.hasPrefix("damage  \(file): it cannot be read: ") == true, "\(found.output)")
        let repaired = try await store("repair", directory)
        #expect(repaired.exit == .code(0), "\(repaired.output)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == good)
    }

    @Test func whatIsNoStoppedStoreIsRefused() async throws {
        let none = try await store("verify", folder.path("nowhere"))
        #expect(none.exit == .code(2))
        #expect(none.errors.first?.contains("is no store") == true)
        let directory = folder.path("running")
        let broker = try await EmbeddedBroker.start(EmbeddedBrokerConfiguration(directory: directory))
        let running = try await store("verify", directory)
        #expect(running.exit == .code(66))
        let repair = try await store("repair", directory)
        #expect(repair.exit == .code(66))
        await broker.stop()
        let stopped = try await store("verify", directory)
        #expect(stopped.exit == .code(0))
    }

    /// Python's pseudo-terminal stands in for a person's.
    @Test func progressIsForTerminals() async throws {
        let directory = folder.path("large")
        try fill(directory, messages: 40_000)
        let tool = try BuildFolder.executable("escrow")
        let spawn = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
        let seen = try await CompletedProcess.run("python3", ["-c", spawn, tool, "store", "verify", directory])
        #expect(seen.exit == .code(0))
        #expect(seen.output.contains { $0.contains("█") && $0.contains("MiB") }, "\(seen.output)")
        let piped = try await store("verify", directory)
        #expect(piped.errors == [])
        #expect(piped.output.count == 1)
    }
}
