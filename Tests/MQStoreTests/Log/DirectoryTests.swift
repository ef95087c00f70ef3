import MQProtocol
import NIOCore
import Synchronization
import Testing

@testable import MQStore

/// The log in several directories.
@Suite struct DirectoryTests {
    private func fill(_ log: CommitLog, files: Int) throws {
        let first = log.appendedOffset
        while log.appendedOffset - first < Int64(files * 16_384) {
            try LogFixture.append(String(repeating: "y", count: 6000), to: log)
        }
    }

    private func names(_ fixture: LogFixture, _ directory: String) throws -> [Int] {
        try (fixture.device.list(directory) ?? []).compactMap { Int($0.name).map { $0 / 16_384 } }
    }

    // MARK: Full ones

    @Test func `A full directory gets no new file while another one has room`() throws {
        var fixture = LogFixture()
        fixture.configuration.commitLogDirectories = ["/a", "/b", "/c"]
        fixture.configuration.firstWindow = 0
        fixture.configuration.zeroFillWindow = 0
        let disk = PartitionedDevice(fixture.device)
        let log = try CommitLog.open(
            fixture.configuration, device: disk, time: .manual(fixture.clock), logger: LogFixture.silent)
        try log.recover(.normal) { _, _, _ in .accept }
        try fill(log, files: 3)
        #expect(try names(fixture, "/a").contains(0))
        #expect(try names(fixture, "/b").contains(1))
        disk.use(0.86, of: "/a")
        try fill(log, files: 6)
        #expect(try names(fixture, "/a").allSatisfy { $0 <= 3 }, "file 3 may have been begun before")
        // Candidates b and c: even files to b, odd ones to c.
        #expect(try names(fixture, "/b").filter { $0 > 3 }.allSatisfy { $0 % 2 == 0 })
        #expect(try names(fixture, "/c").filter { $0 > 3 }.allSatisfy { $0 % 2 == 1 })
        disk.use(0.85, of: "/a")
        disk.use(0.99, of: "/b")
        disk.use(0.99, of: "/c")
        let reached = Int(log.appendedOffset.rawValue / 16_384)
        try fill(log, files: 3)
        #expect(try names(fixture, "/a").contains(reached + 1))
        disk.use(0.95, of: "/a")
        let last = Int(log.appendedOffset.rawValue / 16_384)
        try fill(log, files: 4)
        let all = try ["/a", "/b", "/c"].map { try names(fixture, $0).filter { $0 > last }.count }
        #expect(all.allSatisfy { $0 > 0 }, "when none has room, all take their turn: \(all)")
        try log.close()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count > 25)
    }

    @Test func `A file stays where it was first asked for`() throws {
        var configuration = LogFixture().configuration
        configuration.commitLogDirectories = ["/a", "/b"]
        let disk = PartitionedDevice(SimulatedDevice(seed: 1))
        var placement = SegmentPlacement(limit: 0.85)
        let offset = LogOffset(rawValue: 16_384)
        #expect(placement.directory(of: offset, configuration, disk) == "/b")
        disk.use(0.9, of: "/b")
        #expect(placement.directory(of: offset, configuration, disk) == "/b")
        #expect(placement.directory(of: offset + 2 * 16_384, configuration, disk) == "/a")
    }

    // MARK: With a journal each

    private func open(
        _ fixture: LogFixture, on disk: PartitionedDevice, _ start: RecoveryStart = .normal
    ) throws -> CommitLog {
        let log = try CommitLog.open(
            fixture.configuration, device: disk, time: .manual(fixture.clock), logger: LogFixture.silent)
        try log.recover(start) { _, _, _ in .accept }
        return log
    }

    private func fixture(_ directories: [String]) -> LogFixture {
        var fixture = LogFixture()
        fixture.configuration.commitLogDirectories = directories
        return fixture
    }

    private func removal(_ file: Int, of directory: String) -> String {
        "remove \(directory)/\(SegmentName.text(LogOffset(rawValue: Int64(file) * 16_384)))"
    }

    @Test func `The removal of an old file is durable before the next one is removed in another directory`() throws {
        let fixture = fixture(["/a", "/b", "/c"])
        let disk = PartitionedDevice(fixture.device)
        let log = try open(fixture, on: disk)
        try fill(log, files: 5)
        try log.flush()
        _ = disk.takeCalls()
        #expect(try log.removeSegments(below: log.appendedOffset, maximumCount: 4).rawValue == 4 * 16_384)
        #expect(
            disk.takeCalls() == [
                removal(0, of: "/a"), "sync /a", removal(1, of: "/b"), "sync /b", removal(2, of: "/c"), "sync /c",
                removal(3, of: "/a"), "sync /a",
            ])
    }

    @Test func `In one directory all removals are made durable at once`() throws {
        let fixture = fixture(["/a"])
        let disk = PartitionedDevice(fixture.device)
        let log = try open(fixture, on: disk)
        try fill(log, files: 3)
        try log.flush()
        _ = disk.takeCalls()
        #expect(try log.removeSegments(below: log.appendedOffset).rawValue == 3 * 16_384)
        let calls = disk.takeCalls()
        #expect(calls == (0..<3).map { removal($0, of: "/a") } + ["sync /a"])
    }

    @Test func `Files behind the end of the log go in the same way, the last one first`() throws {
        let fixture = fixture(["/a", "/b"])
        let log = try fixture.open().log
        try fill(log, files: 3)
        try log.flush()
        fixture.device.kill()
        try fixture.device.remove("/store/escrow/flushed")
        let second = "/b/\(SegmentName.text(LogOffset(rawValue: 16_384)))"
        try fixture.device.open(second, .readWrite).write(ByteBuffer(string: "torn"), at: 1000)
        let disk = PartitionedDevice(fixture.device)
        #expect(try open(fixture, on: disk, .abnormal(notAfter: .zero)).appendedOffset.rawValue == 16_384)
        let calls = disk.takeCalls().prefix(4)
        #expect(Array(calls) == [removal(3, of: "/b"), "sync /b", removal(2, of: "/a"), "sync /a"])
    }

    // MARK: Read-only ones

    /// Files 0 to 2 in /old, the rest in /store/commitlog.
    private func splitLog() throws -> LogFixture {
        var fixture = LogFixture()
        let (log, _) = try fixture.open()
        try fill(log, files: 5)
        try log.close()
        fixture.device.kill()
        try fixture.device.createDirectory("/old")
        for name in try #require(try fixture.device.list("/store/commitlog")).map(\.name).prefix(3) {
            try fixture.device.rename("/store/commitlog/\(name)", to: "/old/\(name)")
        }
        for directory in ["/old", "/store/commitlog"] { try fixture.device.syncDirectory(directory) }
        fixture.configuration.readOnlyLogDirectories = ["/old"]
        return fixture
    }

    @Test(arguments: [RecoveryStart.normal, .abnormal(notAfter: .zero)])
    func `Files of read-only directories are part of the log and stay as they are`(start: RecoveryStart) throws {
        let fixture = try splitLog()
        let before = try ["/old"].map { try fixture.device.list($0) }
        let (log, _) = try fixture.open(start)
        #expect(log.minimumOffset == .zero)
        let found = try Recovered.reading(log)
        #expect(found.entries.first?.offset == .zero && found.entries.count >= 10)
        try LogFixture.append("more", to: log)
        try log.flush()
        #expect(try log.removeSegments(below: log.appendedOffset) == .zero, "expiry stops at them")
        #expect(try log.segmentInfo().prefix(4).map(\.isReadOnly) == [true, true, true, false])
        try log.close()
        #expect(try ["/old"].map { try fixture.device.list($0) } == before)
    }

    @Test func `Read-only directories may be listed with the others, and get no new file`() throws {
        var fixture = try splitLog()
        fixture.configuration.commitLogDirectories = ["/old", "/store/commitlog"]
        let (log, _) = try fixture.open()
        try fill(log, files: 3)
        #expect(try names(fixture, "/old") == [0, 1, 2])
        fixture.configuration.commitLogDirectories = ["/old"]
        let error = #expect(throws: StoreError.self) { try fixture.configuration.validate() }
        #expect(error?.code == .configuration && error?.message.contains("readOnlyCommitLogStorePaths") == true)
    }

    @Test func `A read-only directory that is missing, or holds the end of the log, is named`() throws {
        var fixture = try splitLog()
        fixture.configuration.readOnlyLogDirectories = ["/old", "/gone"]
        let missing = #expect(throws: StoreError.self) { try fixture.open() }
        #expect(missing?.code == .configuration && missing?.message.contains("/gone") == true)
        fixture.configuration.readOnlyLogDirectories = ["/store/commitlog"]
        fixture.configuration.commitLogDirectories = ["/old"]
        let end = #expect(throws: StoreError.self) { try fixture.open() }
        #expect(end?.code == .corrupt && end?.message.contains("readOnlyCommitLogStorePaths") == true)
    }
}

/// A disk whose directories count as partitions of their own, as full as a test says. Notes the order of removals.
final class PartitionedDevice: StorageDevice {
    private let base: SimulatedDevice
    private let used = Mutex<[String: Double]>([:])
    private let calls = Mutex<[String]>([])

    init(_ base: SimulatedDevice) { self.base = base }

    func use(_ share: Double, of directory: String) { used.withLock { $0[directory] = share } }

    /// What was removed and which directories were made durable since the last time.
    func takeCalls() -> [String] {
        calls.withLock { calls in
            defer { calls = [] }
            return calls
        }
    }

    func remove(_ path: String) throws(StoreError) {
        calls.withLock { $0.append("remove \(path)") }
        try base.remove(path)
    }

    func syncDirectory(_ path: String) throws(StoreError) {
        calls.withLock { $0.append("sync \(path)") }
        try base.syncDirectory(path)
    }

    func space(at path: String) throws(StoreError) -> DiskSpace {
        let free = Int(((1 - used.withLock { $0[path] ?? 0 }) * 100).rounded())
        return DiskSpace(total: 100, available: free, free: free)
    }

    func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile { try base.open(path, mode) }
    func rename(_ old: String, to new: String) throws(StoreError) { try base.rename(old, to: new) }
    func createDirectory(_ path: String) throws(StoreError) { try base.createDirectory(path) }
    func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? { try base.list(directory) }
    func entry(_ path: String) throws(StoreError) -> DirectoryEntry? { try base.entry(path) }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try base.lock(path) }
}
