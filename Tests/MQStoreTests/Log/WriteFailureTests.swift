import MQProtocol
import NIOCore
import Testing

@testable import MQStore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

@Suite struct WriteFailureTests {
    /// A batch that needs three writes: the first file's rest, its blank record, the next file.
    private func rollingBatch(_ log: CommitLog) throws -> AppendBatch {
        var batch = log.makeBatch()
        for index in 0..<8 {
            try batch.add(
                LogFixture.draft("batch \(index) " + String(repeating: "z", count: 2500)), to: LogFixture.queue(0))
        }
        return batch
    }

    @Test(arguments: 0..<3)
    func `When a write of a batch fails, nothing of it happened`(failing: Int) throws {
        let fixture = LogFixture(seed: UInt64(failing))
        let (log, _) = try fixture.open()
        try LogFixture.append("first", to: log)
        let end = log.appendedOffset
        var batch = try rollingBatch(log)
        fixture.device.fail(.write, after: failing)
        let error = #expect(throws: StoreError.self) { try log.append(&batch) }
        #expect(error?.code == .inputOutput)
        #expect(log.appendedOffset == end)
        #expect(log.nextQueueOffset(of: LogFixture.queue(0)).rawValue == 1)

        // Killed at this moment, nothing of the batch is found.
        fixture.device.kill()
        let (again, found) = try fixture.open()
        #expect(found.bodies == ["first"])
        #expect(found.report.cause == nil && found.report.zeroedBytes == 0)
        try LogFixture.append("second", to: again)
        #expect(try Recovered.reading(again).bodies == ["first", "second"])
    }

    @Test func `The same batch may be appended again`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var batch = try rollingBatch(log)
        fixture.device.fail(.write, after: 1)
        #expect(throws: StoreError.self) { try log.append(&batch) }
        try log.append(&batch)
        let found = try Recovered.reading(log)
        #expect(found.entries.map(\.queueOffset.rawValue) == Array(0..<8))
    }

    @Test func `While the end of the log cannot be cleared, appends are refused`() throws {
        let fixture = LogFixture(seed: 3)
        let (log, _) = try fixture.open()
        try LogFixture.append("first", to: log)
        fixture.device.fail(.write, permanently: true)
        for _ in 0..<3 {
            #expect(throws: StoreError.self) { try LogFixture.append("lost and longer than the next", to: log) }
        }
        fixture.device.clearFaults()
        let item = try LogFixture.append("second", to: log)
        #expect(item.queueOffset.rawValue == 1)
        fixture.device.kill()
        let found = try fixture.open().found
        #expect(found.bodies == ["first", "second"] && found.report.zeroedBytes == 0)
    }

    /// There is no room for zeros in the new file, and no need of any.
    @Test func `When the next file has no room, nothing of the batch stays in the one before it`() throws {
        let fixture = LogFixture(capacity: 5 * 4096)
        let (log, _) = try fixture.open()
        try LogFixture.append("first", to: log)
        var batch = try rollingBatch(log)
        let error = #expect(throws: StoreError.self) { try log.append(&batch) }
        #expect(error?.code == .diskFull)
        try LogFixture.append("second", to: log)
        fixture.device.kill()
        let found = try fixture.open().found
        #expect(found.bodies == ["first", "second"] && found.report.zeroedBytes == 0)
    }

    /// A flush may have met what a failed append left before it could be cleared.
    @Test(arguments: 0..<40)
    func `What was left is gone from the disk before the next record is written`(seed: UInt64) throws {
        let fixture = LogFixture(seed: seed)
        let (log, _) = try fixture.open()
        try LogFixture.append("first", to: log)
        var batch = log.makeBatch()
        for index in 0..<3 {
            try batch.add(
                LogFixture.draft("lost \(index)" + String(repeating: "l", count: 700)), to: LogFixture.queue(0))
        }
        fixture.device.fail(.write, permanently: true)
        #expect(throws: StoreError.self) { try log.append(&batch) }
        try log.flush()
        fixture.device.clearFaults()
        for index in 0..<3 {
            try LogFixture.append("next \(index)" + String(repeating: "n", count: 700), to: log)
        }
        fixture.device.crash()
        let bodies = try fixture.open(.abnormal(notAfter: .zero)).found.bodies.map { String($0.prefix(6)) }
        #expect(bodies == Array(["first", "next 0", "next 1", "next 2"].prefix(bodies.count)), "seed \(seed)")
    }

    @Test func `A full disk refuses appends with its own code until there is space`() throws {
        let fixture = LogFixture(capacity: 3 * 4096)
        let (log, _) = try fixture.open()
        var stored: [String] = []
        var refused = 0
        for index in 0..<12 {
            let body = "\(index) " + String(repeating: "d", count: 1500)
            do {
                try LogFixture.append(body, to: log)
                stored.append(body)
            } catch let error as StoreError {
                #expect(error.code == .diskFull)
                refused += 1
            }
        }
        #expect(refused > 0 && !stored.isEmpty)
        fixture.device.setCapacity(nil)
        try LogFixture.append("space again", to: log)
        #expect(try Recovered.reading(log).bodies == stored + ["space again"])
        fixture.device.kill()
        #expect(try fixture.open().found.bodies == stored + ["space again"])
    }

    @Test func `When the next file cannot be made, the batch is refused and nothing was written`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        var batch = try rollingBatch(log)
        let writes = fixture.device.count(.write)
        fixture.device.fail(.open, errorNumber: ENOSPC)
        let error = #expect(throws: StoreError.self) { try log.append(&batch) }
        #expect(error?.code == .diskFull)
        #expect(fixture.device.count(.write) == writes)
        try log.append(&batch)
        #expect(try Recovered.reading(log).entries.count == 8)
    }

    @Test func `Zeros stay ahead of the writer and the next file is there before it is needed`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try log.zeroFillAhead()
        #expect(
            try fixture.device.open("/store/commitlog/00000000000000000000", .readOnly).nextData(from: 0) == 0..<4096
                * 4)
        var offset = LogOffset.zero
        while offset.rawValue < 9000 { offset = try LogFixture.append("some body", to: log).logOffset }
        try log.zeroFillAhead()
        #expect(try fixture.device.exists("/store/commitlog/00000000000000016384"))
        let opened = fixture.device.count(.open)
        while offset.rawValue < 20_000 { offset = try LogFixture.append("some body", to: log).logOffset }
        #expect(fixture.device.count(.open) == opened)
        let entries = try Recovered.reading(log).entries
        #expect(entries.map(\.queueOffset.rawValue) == Array(0..<Int64(entries.count)))
    }

    @Test func `A full disk is noticed by the filling thread and harms nothing`() throws {
        let fixture = LogFixture(capacity: 2 * 4096)
        let (log, _) = try fixture.open()
        let error = #expect(throws: StoreError.self) { try log.zeroFillAhead() }
        #expect(error?.code == .diskFull)
        try LogFixture.append("fits", to: log)
        fixture.device.setCapacity(nil)
        try log.zeroFillAhead()
        #expect(try Recovered.reading(log).bodies == ["fits"])
    }
}
