import MQProtocol
import NIOCore
import Synchronization
import Testing

@testable import MQStore

@Suite struct FlushTests {
    @Test func `Group commit: a failure is sticky until everything unflushed was written again`() {
        func at(_ offset: Int64) -> LogOffset { LogOffset(rawValue: offset) }
        var commit = GroupCommit(done: at(10))
        #expect(commit.next(appended: at(10)) == .nothing)
        #expect(commit.next(appended: at(30)) == .flush(at(10)..<at(30)))
        commit.flushed(upTo: at(20))
        #expect(commit.next(appended: at(30)) == .flush(at(20)..<at(30)))
        commit.failed()
        #expect(commit.next(appended: at(40)) == .rewrite(at(20)..<at(40)))
        #expect(commit.done == at(20))
        commit.rewritten(upTo: at(40))
        #expect(commit.next(appended: at(40)) == .nothing)
        commit.failed()
        #expect(commit.next(appended: at(40)) == .rewrite(at(40)..<at(40)))
    }

    @Test func `One flush covers everything appended before it, over a file's end`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        for index in 0..<8 { try LogFixture.append("\(index)" + String(repeating: "f", count: 3000), to: log) }
        let before = fixture.device.count(.flush)
        #expect(try log.flush() == log.appendedOffset)
        #expect(log.flushedOffset == log.appendedOffset)
        #expect(fixture.device.count(.flush) == before + 2)
        #expect(try log.flush() == log.appendedOffset)
        #expect(fixture.device.count(.flush) == before + 2)
        fixture.device.crash()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count == 8)
    }

    @Test(arguments: 0..<20)
    func `After a failed flush the records are written again before they count as durable`(seed: UInt64) throws {
        let fixture = LogFixture(seed: seed)
        let (log, _) = try fixture.open()
        try LogFixture.append("durable", to: log)
        try log.flush()
        let flushed = log.flushedOffset
        for index in 0..<10 { try LogFixture.append("record \(index)" + String(repeating: "r", count: 2000), to: log) }
        fixture.device.fail(.flush)
        let error = #expect(throws: StoreError.self) { try log.flush() }
        #expect(error?.code == .inputOutput)
        #expect(log.flushedOffset == flushed)
        #expect(throws: StoreError.self) { try LogFixture.append("refused", to: log) }
        #expect(log.refusal?.code == .inputOutput)

        #expect(try log.flush() == log.appendedOffset)
        #expect(log.refusal == nil)
        fixture.device.crash()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.entries.count == 11)
    }

    @Test(arguments: 0..<20)
    func `When the system dropped the bytes of a failed flush, nothing more is acknowledged`(seed: UInt64) throws {
        let fixture = LogFixture(seed: seed)
        let (log, _) = try fixture.open()
        try LogFixture.append("durable", to: log)
        try log.flush()
        let flushed = log.flushedOffset
        for index in 0..<4 { try LogFixture.append("record \(index)" + String(repeating: "r", count: 2000), to: log) }
        fixture.device.setDropsPagesOnFailedFlush(true)
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try log.flush() }
        let error = #expect(throws: StoreError.self) { try log.flush() }
        #expect(error?.code == .corrupt)
        #expect(log.flushedOffset == flushed)
        #expect(throws: StoreError.self) { try LogFixture.append("refused", to: log) }
        fixture.device.crash()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.bodies.first == "durable")
    }

    @Test(arguments: 0..<20)
    func `Nor is a record served whose properties were dropped`(seed: UInt64) throws {
        var fixture = StoreFixture(seed: seed)
        fixture.configuration.appendsRecordChecksum = false
        // Else nothing is readable before it is flushed.
        fixture.configuration.flush = .asynchronous(interval: .seconds(1))
        let store = try fixture.open()
        let properties = "KEYS\u{1}" + String(repeating: "k", count: 4000)
        let item = try store.put("Topic", body: "body", properties: properties)
        store.dispatchPending()
        fixture.device.setDropsPagesOnFailedFlush(true)
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try store.flushNow() }
        var served = store.pull("Topic", from: 0).count
        if store.record(at: item.logOffset) != nil { served += 1 }
        let slice = try #require(store.log.slice(at: item.logOffset, count: Int(item.size)))
        let isWhole = slice.withBytes { bytes in
            (try? RecordView.parse(bytes)).map { RecordRules.oddity(of: $0, in: bytes) == nil } ?? false
        }
        #expect(served == (isWhole ? 2 : 0), "seed \(seed)")
    }

    @Test func `A failure that the filling thread meets is one of the log`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        try LogFixture.append("a", to: log)
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try log.zeroFillAhead() }
        #expect(log.flushedOffset == .zero)
        #expect(log.refusal?.code == .inputOutput)
        // The system reports the failure on the log's own handle too.
        #expect(throws: StoreError.self) { try log.flush() }
        try log.flush()
        #expect(log.flushedOffset == log.appendedOffset)
        try log.zeroFillAhead()
        fixture.device.crash()
        #expect(try fixture.open(.abnormal(notAfter: .zero)).found.bodies == ["a"])
    }

    @Test(arguments: 0..<20)
    func `The mark of the durable end is written again after a failed flush`(seed: UInt64) throws {
        let device = SimulatedDevice(seed: seed)
        let mark = FlushMark(root: "/store", device: device, logger: LogFixture.silent)
        try mark.begin(at: .zero)
        mark.move(to: LogOffset(rawValue: 100))
        device.setDropsPagesOnFailedFlush(true)
        device.fail(.flush)
        #expect(throws: StoreError.self) { try mark.sync() }
        try mark.sync()
        device.crash()
        let found = try FlushMark(root: "/store", device: device, logger: LogFixture.silent).load()
        #expect(found.rawValue == 100)
    }

    @Test func `The thread flushes when it is woken and tells how far`() async throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        let (offsets, continuation) = AsyncStream.makeStream(of: LogOffset.self)
        let flusher = Flusher(
            log: log,
            policy: .synchronous,
            logger: LogFixture.silent,
            flushed: { continuation.yield($0) },
            failed: { _ in }
        )
        try flusher.start()
        var iterator = offsets.makeAsyncIterator()
        for index in 0..<3 {
            try LogFixture.append("\(index)", to: log)
            let end = log.appendedOffset
            flusher.wake()
            var reached = LogOffset.zero
            while reached < end { reached = try #require(await iterator.next()) }
            #expect(reached == end && log.flushedOffset == end)
        }
        flusher.stop()
    }

    @Test func `Stopping the thread flushes the rest`() throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        let reached = Mutex(LogOffset.zero)
        let flusher = Flusher(
            log: log,
            policy: .asynchronous(interval: .seconds(3600)),
            logger: LogFixture.silent,
            flushed: { offset in reached.withLock { $0 = offset } },
            failed: { _ in }
        )
        try flusher.start()
        try LogFixture.append("late", to: log)
        flusher.stop()
        #expect(log.flushedOffset == log.appendedOffset)
        #expect(reached.withLock { $0 } == log.appendedOffset)
    }

    @Test func `A thread that cannot flush says so and repairs later`() async throws {
        let fixture = LogFixture()
        let (log, _) = try fixture.open()
        let (events, continuation) = AsyncStream.makeStream(of: String.self)
        let flusher = Flusher(
            log: log,
            policy: .synchronous,
            logger: LogFixture.silent,
            flushed: { _ in continuation.yield("flushed") },
            failed: { continuation.yield($0.code.description) }
        )
        try LogFixture.append("a", to: log)
        fixture.device.fail(.flush)
        try flusher.start()
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == "inputOutput")
        #expect(await iterator.next() == "flushed")
        flusher.stop()
        #expect(log.flushedOffset == log.appendedOffset)
    }
}
