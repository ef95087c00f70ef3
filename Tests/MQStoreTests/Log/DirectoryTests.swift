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

/// A disk whose directories count as partitions of their own, as full as a test says.
final class PartitionedDevice: StorageDevice {
    private let base: SimulatedDevice
    private let used = Mutex<[String: Double]>([:])

    init(_ base: SimulatedDevice) { self.base = base }

    func use(_ share: Double, of directory: String) { used.withLock { $0[directory] = share } }

    func space(at path: String) throws(StoreError) -> DiskSpace {
        let free = Int(((1 - used.withLock { $0[path] ?? 0 }) * 100).rounded())
        return DiskSpace(total: 100, available: free, free: free)
    }

    func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile { try base.open(path, mode) }
    func rename(_ old: String, to new: String) throws(StoreError) { try base.rename(old, to: new) }
    func remove(_ path: String) throws(StoreError) { try base.remove(path) }
    func createDirectory(_ path: String) throws(StoreError) { try base.createDirectory(path) }
    func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? { try base.list(directory) }
    func entry(_ path: String) throws(StoreError) -> DirectoryEntry? { try base.entry(path) }
    func syncDirectory(_ path: String) throws(StoreError) { try base.syncDirectory(path) }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try base.lock(path) }
}
