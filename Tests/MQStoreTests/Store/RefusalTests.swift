import Logging
import MQProtocol
import TestSupport
import Testing

@testable import MQStore

/// What senders are told while the store takes no message: one exact cause each time.
@Suite struct RefusalTests {
    private static let logFile = "/store/commitlog/00000000000000000000"
    private static let queueFile = "/store/consumequeue/Topic/0/00000000000000000000"

    private func refusal(of store: MessageStore, body: String = "body") -> StoreError? {
        do {
            try store.put("Topic", body: body)
            return nil
        } catch {
            return error as? StoreError
        }
    }

    // MARK: Watermarks

    /// A store whose disks are as full as the test says.
    private struct Disks {
        let device: PartitionedDevice
        let lines = LogLines(from: .notice)
        let store: MessageStore

        /// - Parameter logs: directories of the log; none: the store's own.
        init(logs: [String] = []) throws {
            var fixture = StoreFixture()
            fixture.configuration.commitLogDirectories = logs
            device = PartitionedDevice(fixture.device)
            store = try MessageStore.open(
                fixture.configuration, device: device, time: .manual(fixture.clock), logger: lines.logger,
                observer: StoreObserver())
        }

        /// What the next sender is told after the store looked at the disks; nil when the message is stored.
        func look(_ shares: [String: Double]) throws -> String? {
            for (directory, share) in shares { device.use(share, of: directory) }
            store.keepHouse()
            guard let refusal = store.refusal else {
                try store.put("Topic")
                return nil
            }
            let error = #expect(throws: StoreError.self) { try store.put("Topic") }
            #expect(error?.message == refusal.message && error?.code == .diskFull)
            return refusal.message
        }

        var changes: [String] { lines.all.filter { $0.contains("messages are") } }
    }

    private func cause(_ used: Int, _ directory: String) -> String {
        "\(used) % of the disk under \(directory) is used, and messages are refused until it is 89 % or less"
    }

    private func text(_ used: Int, _ directory: String) -> String {
        "\(cause(used, directory)): free space there, or delete old messages (lower fileReservedTime, or request 329)"
    }

    @Test func `On one disk the store's directory is named, and its share, until refusing ends`() throws {
        let disks = try Disks()
        func look(_ share: Double) throws -> String? {
            try disks.look(["/store": share, "/store/commitlog": share])
        }
        #expect(try look(0.90) == nil)
        #expect(disks.changes == [])
        #expect(try look(0.91) == text(91, "/store"))
        #expect(try look(0.97) == text(97, "/store"))
        #expect(try look(0.90) == text(90, "/store"), "at the limit, and not below it by as much as it must be")
        #expect(disks.changes == [cause(91, "/store")])
        #expect(try look(0.89) == nil)
        #expect(try look(0.90) == nil)
        let end = "messages are accepted again: 89 % of the disk under /store is used"
        #expect(disks.changes == [cause(91, "/store"), end])
    }

    @Test func `Of the disks of log and queues the one is named that has no space`() throws {
        let disks = try Disks(logs: ["/log"])
        #expect(try disks.look(["/log": 0.30, "/store": 0.93]) == text(93, "/store"))
        #expect(try disks.look(["/log": 0.95, "/store": 0.20]) == text(95, "/log"))
        #expect(disks.changes == [cause(93, "/store")])
        #expect(try disks.look(["/log": 0.50]) == nil)
        let end = "messages are accepted again: 50 % of the disk under /log is used"
        #expect(disks.changes == [cause(93, "/store"), end])
    }

    @Test func `Of several disks of the log the one is named that is used least: freed, it takes messages`() throws {
        let disks = try Disks(logs: ["/a", "/b"])
        #expect(try disks.look(["/a": 0.99, "/b": 0.90, "/store": 0.10]) == nil)
        #expect(try disks.look(["/b": 0.92]) == text(92, "/b"))
        #expect(try disks.look(["/a": 0.50]) == nil)
        let end = "messages are accepted again: 50 % of the disk under /a is used"
        #expect(disks.changes == [cause(92, "/b"), end])
    }

    // MARK: Failures

    @Test func `A closed store says so, and one that is not recovered`() throws {
        let store = try StoreFixture().open()
        try store.close()
        let closed = refusal(of: store)
        #expect(closed?.code == .closed && closed?.message == "the store is closed")
        #expect(store.refusal?.message == closed?.message)
        let log = try LogFixture().load()
        let early = #expect(throws: StoreError.self) { try LogFixture.append("early", to: log) }
        #expect(early?.code == .notWritable && early?.message == "the log was not recovered yet")
        #expect(log.refusal?.message == early?.message)
    }

    @Test func `A failed flush is named with its file until it is made good`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic")
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try store.flushNow() }
        let error = refusal(of: store)
        #expect(error?.code == .inputOutput)
        #expect(
            error?.message == "a flush of the log failed and was not repaired yet: cannot flush \(Self.logFile):"
                + " Input/output error (errno 5); check the disk and the kernel's log")
        #expect(store.refusal?.message == error?.message)
        try store.flushNow()
        #expect(refusal(of: store) == nil)
    }

    @Test func `Consume queues that cannot be written are named with the file`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic")
        store.dispatchPending()
        fixture.device.fail(.write, errorNumber: 28, permanently: true)
        store.keepHouse()
        let error = refusal(of: store)
        #expect(error?.code == .diskFull)
        #expect(
            error?.message == "consume queues cannot be written: cannot write \(Self.queueFile):"
                + " No space left on device (errno 28); free space on that file system or move the store")
        #expect(store.refusal?.message == error?.message)
        fixture.device.clearFaults()
        store.keepHouse()
        #expect(refusal(of: store) == nil)
    }

    @Test func `A disk that is full before the store looked at it is named with the file`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic")
        let space = try fixture.device.space(at: "/store")
        fixture.device.setCapacity(space.total - space.available)
        let error = refusal(of: store, body: String(repeating: "x", count: 9000))
        #expect(error?.code == .diskFull)
        #expect(
            error?.message == "cannot write \(Self.logFile): No space left on device (errno 28);"
                + " free space on that file system or move the store")
        fixture.device.setCapacity(nil)
        #expect(refusal(of: store) == nil)
    }

    @Test func `A file system that became read-only is named with the file`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic")
        fixture.device.fail(.write, errorNumber: 30)
        let error = refusal(of: store)
        #expect(error?.code == .permission)
        #expect(
            error?.message == "cannot write \(Self.logFile): Read-only file system (errno 30);"
                + " the file system is read-only: check the disk, then mount it writable")
        #expect(refusal(of: store) == nil)
    }
}
