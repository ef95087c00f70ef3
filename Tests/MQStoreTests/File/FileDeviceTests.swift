import Foundation
import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// A directory of the real file system that goes with the test.
final class ScratchDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("escrow-\(UUID().uuidString)").path
        try FileDevice().createDirectory(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct FileDeviceTests {
    private let device = FileDevice()

    @Test func `Interrupted and short transfers are continued, the end of the file ends them`() throws {
        var steps: [TransferStep] = [.moved(3), .failed(EINTR), .moved(1), .failed(EINTR), .moved(6)]
        var asked: [Int] = []
        let done = try transfer(10, "write", "x") { done in
            asked.append(done)
            return steps.removeFirst()
        }
        #expect(done == 10 && asked == [0, 3, 3, 4, 4])
        #expect(try transfer(10, "read", "x") { $0 < 4 ? .moved(4) : .moved(0) } == 4)
        let error = #expect(throws: StoreError.self) { try transfer(10, "write", "/a/b") { _ in .failed(ENOSPC) } }
        #expect(error?.code == .diskFull && error?.message.contains("/a/b") == true)
    }

    @Test func `What is written is read and mapped, also behind the map's back`() throws {
        let scratch = try ScratchDirectory()
        let file = try device.open("\(scratch.path)/f", .create)
        try file.setLength(10_000)
        let region = try file.map(length: 10_000)
        #expect(region.isZero(0..<10_000))
        try file.write(ByteBuffer(string: "hello"), at: 5000)
        #expect(!region.isZero(0..<10_000) && region.isZero(0..<5000) && region.isZero(5005..<10_000))
        var copy = ByteBuffer()
        region.copy(5000..<5005, into: &copy)
        #expect(String(buffer: copy) == "hello")
        #expect(region.withBytes(5001..<5003) { [$0[0], $0[1]] } == Array("el".utf8))
        var read = ByteBuffer()
        #expect(try file.read(at: 9000, count: 5000, into: &read) == 1000)
        try file.zeroFill(5000..<5005)
        #expect(region.isZero(0..<10_000))
        try file.flush()
        #expect(try file.length() == 10_000)
    }

    @Test func `A map outlives its file's name`() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/f"
        let region = try {
            let file = try device.open(path, .create)
            try file.write(ByteBuffer(string: "still here"), at: 0)
            return try file.map(length: 10)
        }()
        try device.remove(path)
        #expect(try device.exists(path) == false)
        var copy = ByteBuffer()
        region.copy(0..<10, into: &copy)
        #expect(String(buffer: copy) == "still here")
    }

    @Test func `Data is found between holes`() throws {
        let scratch = try ScratchDirectory()
        let file = try device.open("\(scratch.path)/f", .create)
        try file.setLength(8 << 20)
        try file.write(ByteBuffer(string: "x"), at: 4 << 20)
        let data = try #require(try file.nextData(from: 0))
        #expect(data.contains(4 << 20) && data.upperBound <= 8 << 20)
        if data.lowerBound > 0 { #expect(try file.nextData(from: data.upperBound) == nil) }
        #expect(try file.nextData(from: 8 << 20) == nil)
    }

    @Test func `Names: create, list, rename, remove`() throws {
        let scratch = try ScratchDirectory()
        let root = "\(scratch.path)/a/b"
        try device.createDirectory(root)
        try device.createDirectory(root)
        _ = try device.open("\(root)/2", .create)
        try device.open("\(root)/1", .create).write(ByteBuffer(string: "one"), at: 0)
        #expect(try device.list(root)?.map(\.name) == ["1", "2"])
        try device.rename("\(root)/1", to: "\(root)/2")
        try device.syncDirectory(root)
        #expect(try device.list(root)?.map(\.length) == [3])
        #expect(try device.contents(of: "\(root)/2").map { String(buffer: $0) } == "one")
        try device.remove("\(root)/2")
        try device.remove("\(root)/2")
        #expect(try device.list(root)?.isEmpty == true)
        #expect(try device.list("\(root)/none") == nil)
        let error = #expect(throws: StoreError.self) { try device.open("\(root)/none", .readWrite) }
        #expect(error?.code == .notFound)
        let space = try device.space(at: root)
        #expect(space.total > 0 && space.available <= space.free && (0...1).contains(space.usedRatio))
        #expect(try device.entry(scratch.path)?.isDirectory == true)
    }

    @Test func `A used ratio is rounded up to whole percents`() {
        #expect(DiskSpace(total: 1000, available: 249, free: 250).usedRatio == 0.76)
        #expect(DiskSpace(total: 1000, available: 1000, free: 1000).usedRatio == 0)
        #expect(DiskSpace(total: 0, available: 0, free: 0).usedRatio == 1)
    }

    @Test func `One store, one broker: a second opener is refused until the first is gone`() throws {
        let scratch = try ScratchDirectory()
        var first: StoreLock? = try StoreLock.acquire(directory: scratch.path, device: device)
        #expect(try device.contents(of: "\(scratch.path)/lock").map { String(buffer: $0) } == "lock")
        let error = #expect(throws: StoreError.self) { try StoreLock.acquire(directory: scratch.path, device: device) }
        #expect(error?.code == .locked && error?.message.contains(scratch.path) == true)
        // Closing some other handle of the file must not give the lock away.
        _ = try device.open("\(scratch.path)/lock", .readOnly)
        #expect(throws: StoreError.self) { try StoreLock.acquire(directory: scratch.path, device: device) }
        withExtendedLifetime(first) {}
        first = nil
        _ = try StoreLock.acquire(directory: scratch.path, device: device)
    }

    @Test func `The lock of a Java broker and ours exclude each other`() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/lock"
        var ours: StoreLock? = try StoreLock.acquire(directory: scratch.path, device: device)
        #expect(throws: StoreError.self) { try device.lockAsProcess(path) }
        withExtendedLifetime(ours) {}
        ours = nil
        let theirs = try device.lockAsProcess(path)
        let error = #expect(throws: StoreError.self) { try StoreLock.acquire(directory: scratch.path, device: device) }
        #expect(error?.code == .locked)
        withExtendedLifetime(theirs) {}
    }

    @Test func `A log on the real disk is found again`() throws {
        let scratch = try ScratchDirectory()
        var configuration = StoreConfiguration(directory: scratch.path)
        configuration.segmentBytes = 1 << 20
        configuration.firstWindow = 64 << 10
        configuration.zeroFillWindow = 256 << 10
        func open() throws -> (CommitLog, Recovered) {
            let log = try CommitLog.open(configuration, device: device, time: .system, logger: LogFixture.silent)
            let found = Recovered()
            found.report = try log.recover(.abnormal(notAfter: .zero)) { offset, record, bytes in
                found.note(offset, record, bytes)
                return .accept
            }
            return (log, found)
        }
        let (log, _) = try open()
        try log.zeroFillAhead()
        for index in 0..<300 {
            try LogFixture.append("\(index) " + String(repeating: "m", count: 5000), to: log)
            if index % 50 == 0 { try log.zeroFillAhead() }
        }
        try log.flush()
        let read = try Recovered.reading(log).entries
        try log.close()
        let (again, found) = try open()
        #expect(found.entries == read && read.count == 300)
        #expect(found.report.cause == nil && found.report.zeroedBytes == 0)
        #expect(again.appendedOffset == log.appendedOffset)
    }

    @Test func `Checkpoint and abort mark`() throws {
        let scratch = try ScratchDirectory()
        #expect(try Checkpoint.load(directory: scratch.path, device: device) == nil)
        // The bytes of vectors.md section 5.
        let time = Timestamp(milliseconds: 0x0000_01A1_FBEB_FB17)
        let checkpoint = Checkpoint(log: time, queues: time, index: .zero)
        try checkpoint.save(directory: scratch.path, device: device)
        var bytes = try #require(try device.contents(of: "\(scratch.path)/checkpoint"))
        #expect(bytes.readableBytes == 4096)
        #expect(bytes.readBytes(length: 8) == [0, 0, 0x01, 0xA1, 0xFB, 0xEB, 0xFB, 0x17])
        #expect(bytes.readBytes(length: 8) == [0, 0, 0x01, 0xA1, 0xFB, 0xEB, 0xFB, 0x17])
        #expect(bytes.readableBytesView.allSatisfy { $0 == 0 })
        #expect(try Checkpoint.load(directory: scratch.path, device: device) == checkpoint)
        #expect(checkpoint.minimum.milliseconds == time.milliseconds - 3000)

        let mark = AbortMark(directory: scratch.path, device: device)
        #expect(try !mark.exists())
        try mark.create()
        #expect(try mark.exists())
        try mark.remove()
        #expect(try !mark.exists())
    }
}
