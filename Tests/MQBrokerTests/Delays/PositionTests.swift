import MQProtocol
import MQStore
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import MQBroker

/// What the files of the delay service say while it works, as a crash would find them.
@Suite("Positions of delayed messages")
struct PositionTests {
    private let support = TableSupport()

    private func writtenLevels() throws -> [Int32: Int64] {
        try support.contents("delayOffset.json").map { try DelayOffsetsBody.decode(ByteBuffer(string: $0)).offsets }
            ?? [:]
    }

    private func deliverOne(_ broker: Broker) throws {
        try support.putWaiting("x", in: SystemTopic.schedule, "DELAY\u{1}1", broker: broker)
        support.clock.advance(by: .seconds(2))
        broker.delays.fireRound()
    }

    @Test("They are written though more is delivered all the time, and some of it is always unflushed")
    func steadyLoad() throws {
        let broker = try support.broker { configuration in
            configuration.storage.synchronousFlush = false
            configuration.storage.flushInterval = .seconds(3600)
        }
        try deliverOne(broker)
        broker.delays.persistIfDurable()
        try broker.store.flushNow()
        try deliverOne(broker)
        broker.delays.persistIfDurable()
        #expect(try writtenLevels()[1] ?? 0 >= 1)
        try broker.close()
        #expect(try writtenLevels() == [1: 2])
    }

    @Test("A position behind the end of its queue is taken back on the disk too, or the next start would skip messages")
    func behindTheEnd() throws {
        try support.put(#"{"offsetTable":{1:1000}}"#, in: "delayOffset.json")
        try support.file("timerWatermark.json").save(
            FiringWatermark(
                [.init(dueUpTo: support.clock.now(), queueEnd: QueueOffset(rawValue: 1000))],
                copiedBelow: LogOffset(rawValue: 1 << 40)
            ).encodePretty())
        try support.broker().close()
        let broker = try support.broker()
        #expect(try writtenLevels() == [:])
        try support.putWaiting("1", in: SystemTopic.schedule, "DELAY\u{1}1", broker: broker)
        let due = support.clock.now().advanced(by: .milliseconds(-1)).milliseconds
        try support.putWaiting("2", in: SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due)", broker: broker)
        try broker.store.flushNow()
        try broker.close()
        let next = try support.broker()
        support.clock.advance(by: .seconds(2))
        next.delays.fireRound()
        #expect(try delivered(next) == [1, 2])
        try next.close()
    }

    @Test("What was overdue at a start is noted at once: a broker that dies within a second does not repeat it forever")
    func rightAfterStart() async throws {
        let broker = try support.broker()
        try deliverOne(broker)
        // Or the first round would wait for the flush of what was delivered.
        try broker.store.flushNow()
        let loop = Task { await broker.delays.persistLoop(on: .singleton) }
        await support.clock.waitForSleepers(count: 1)
        support.clock.advance(by: .milliseconds(50))
        await support.clock.waitForSleepers(count: 1)
        #expect(try writtenLevels() == [1: 1])
        loop.cancel()
        await loop.value
        try broker.close()
    }

    private func delivered(_ broker: Broker) throws -> Set<Int> { Set(try deliveries(broker)) }

    /// Bodies that were delivered, by their numbers.
    private func deliveries(_ broker: Broker) throws -> [Int] {
        let queue = broker.store.queue("T", 0)
        broker.store.dispatchPending()
        var numbers: [Int] = []
        var position = QueueOffset.zero
        while true {
            let entries = try broker.store.entries(of: queue, from: position, count: 1024)
            guard !entries.isEmpty else { return numbers }
            for entry in entries {
                let record = broker.store.record(at: entry.logOffset).flatMap(StoredRecord.init)
                if let number = record.flatMap({ Int(String(buffer: $0.body)) }) { numbers.append(number) }
            }
            position = position + entries.count
        }
    }

    /// Places in the timer queue that a start would leave out.
    private func covered(_ broker: Broker) throws -> Set<Int> {
        let watermark = broker.delays.state.withLock { $0.watermark }
        var places: Set<Int> = []
        var position = QueueOffset.zero
        while true {
            let entries = try broker.store.entries(of: broker.delays.timerQueue, from: position, count: 1024)
            guard !entries.isEmpty else { return places }
            for (index, entry) in entries.enumerated() {
                let due = Timestamp(milliseconds: entry.tagsCode)
                if watermark.covers(due: due, at: position + index, logOffset: entry.logOffset) {
                    places.insert(Int((position + index).rawValue))
                }
            }
            position = position + entries.count
        }
    }

    @Test("What fired while the clock was ahead does not fire again after it was set back")
    func clockSetBack() throws {
        let broker = try support.broker()
        let start = support.clock.now()
        var count = 0
        func arm(after milliseconds: Int64) throws {
            let due = start.advanced(by: .milliseconds(milliseconds)).milliseconds
            try support.putWaiting("\(count)", in: SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due)", broker: broker)
            broker.store.dispatchPending()
            count += 1
        }
        for milliseconds in [1000, 1200, 1400] { try arm(after: Int64(milliseconds)) }
        support.clock.set(to: start.advanced(by: .seconds(3600)))
        broker.delays.fireRound()
        #expect(try delivered(broker) == [0, 1, 2])
        support.clock.set(to: start.advanced(by: .milliseconds(10)))
        try arm(after: 50)
        try arm(after: 1300)
        support.clock.advance(by: .milliseconds(100))
        broker.delays.fireRound()
        #expect(try delivered(broker) == [0, 1, 2, 3])
        #expect(try covered(broker) == [0, 1, 2, 3])
        support.clock.advance(by: .seconds(2))
        broker.delays.fireRound()
        #expect(try covered(broker) == [0, 1, 2, 3, 4])
        try broker.close()
    }

    @Test(
        "Whatever the clock does, each timer and each message of a level comes, never early; once, if nothing crashes",
        arguments: [false, true])
    func anyClock(crashes: Bool) throws {
        var generator = SeededGenerator(seed: TestSeed.current)
        var broker = try support.broker()
        // When each message may come, by the broker's clock: for one of a level, a clock that was set back counts.
        var earliest: [Int64] = []
        var waitsInLevel: Set<Int> = []
        var known: Set<Int> = []
        func put(_ topic: String, due: Int64, _ properties: String) throws {
            if topic == SystemTopic.schedule { waitsInLevel.insert(earliest.count) }
            try support.putWaiting("\(earliest.count)", in: topic, properties, broker: broker)
            earliest.append(due)
            try broker.store.flushNow()
        }
        for step in 0..<400 {
            let now = support.clock.now().milliseconds
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                let due = now + Int64.random(in: 1...4_000_000, using: &generator)
                try put(SystemTopic.timerWheel, due: due, "TIMER_OUT_MS\u{1}\(due)")
            case 4: try put(SystemTopic.schedule, due: now + 1000, "DELAY\u{1}1")
            case 5:
                let back = Int64.random(in: 1...3_600_000, using: &generator)
                support.clock.set(to: Timestamp(milliseconds: now - back))
            case 6: support.clock.advance(by: .milliseconds(Int64.random(in: 1...3_600_000, using: &generator)))
            case 7:
                if crashes { support.crash(broker) } else { try broker.close() }
                broker = try support.broker()
            default: support.clock.advance(by: .milliseconds(Int64.random(in: 1...60_000, using: &generator)))
            }
            let clock = support.clock.now().milliseconds
            for number in waitsInLevel.subtracting(known) { earliest[number] = min(earliest[number], clock + 1000) }
            broker.store.dispatchPending()
            broker.delays.fireRound()
            let delivered = try deliveries(broker)
            for number in Set(delivered).subtracting(known) { #expect(earliest[number] <= clock, "step \(step)") }
            if !crashes { #expect(Set(delivered).count == delivered.count, "step \(step)") }
            known.formUnion(delivered)
        }
        let latest = max(earliest.max() ?? 0, support.clock.now().milliseconds)
        support.clock.set(to: Timestamp(milliseconds: latest + 20_000))
        for _ in 0..<2 {
            broker.delays.fireRound()
            broker.store.dispatchPending()
            support.clock.advance(by: .seconds(20))
        }
        #expect(try delivered(broker) == Set(earliest.indices))
        try broker.close()
    }

    @Test("A crash right after messages of a level were put off brings none of them twice", arguments: [false, true])
    func putOff(byRetention: Bool) throws {
        var broker = try support.broker()
        let start = support.clock.now()
        support.clock.advance(by: .seconds(3600))
        for number in 0..<20 {
            try support.putWaiting("\(number)", in: SystemTopic.schedule, queueID: 3, "DELAY\u{1}4", broker: broker)
        }
        try broker.store.flushNow()
        support.clock.set(to: start)
        if byRetention {
            #expect(broker.willDelete(upTo: broker.store.appendedOffset) > .zero)
        } else {
            broker.delays.fireRound()
        }
        support.crash(broker)
        broker = try support.broker()
        for (seconds, count) in [(29, 0), (2, 20), (3600, 20), (3600, 20)] {
            support.clock.advance(by: .seconds(seconds))
            broker.delays.fireRound()
            #expect(try deliveries(broker).count == count, "after \(seconds) s")
        }
        try broker.close()
    }

    @Test("On a full disk, what is put off is not written down again and again")
    func putOffOnFullDisk() throws {
        var support = support
        let lines = LogLines()
        support.logger = lines.logger
        let broker = try support.broker()
        let start = support.clock.now()
        // Its position is not written yet.
        try deliverOne(broker)
        support.clock.advance(by: .seconds(3600))
        try support.putWaiting("0", in: SystemTopic.schedule, queueID: 3, "DELAY\u{1}4", broker: broker)
        try broker.store.flushNow()
        support.clock.set(to: start.advanced(by: .seconds(2)))
        support.device.fail(.write, errorNumber: 28, permanently: true)
        for _ in 0..<10 { #expect(broker.delays.fireRound().isRefused) }
        #expect(!lines.all.contains { $0.contains("positions were not written") }, "nothing was put off yet")
        support.device.clearFaults()
        #expect(!broker.delays.fireRound().isRefused)
        #expect(try writtenLevels() == [1: 1, 4: 1], "noted at once")
        try broker.close()
    }

    @Test("After each round of a backlog a crash repeats little of what fired, and forgets nothing that did not")
    func backlog() throws {
        var generator = SeededGenerator(seed: TestSeed.current)
        let broker = try support.broker()
        let start = support.clock.now().milliseconds
        var count = 0
        func arm(_ timers: Int) throws {
            for _ in 0..<timers {
                let due = start + Int64.random(in: 1...5000, using: &generator)
                try support.putWaiting(
                    "\(count)", in: SystemTopic.timerWheel, "TIMER_OUT_MS\u{1}\(due)", broker: broker)
                count += 1
            }
        }
        try arm(3 * DelayService.roundLimit)
        support.clock.advance(by: .seconds(60))
        let now = support.clock.now()
        var rounds = 0
        while broker.delays.deliverDue(now: now) == false {
            rounds += 1
            let fired = try delivered(broker)
            let covered = try covered(broker)
            #expect(covered.isSubset(of: fired), "round \(rounds)")
            if rounds == 1 { #expect(covered.count > DelayService.roundLimit / 2) }
            // Some that were due long ago come late.
            if rounds < 4 { try arm(20) }
        }
        #expect(rounds >= 3)
        #expect(try delivered(broker).count == count)
        #expect(try covered(broker).count == count)
        try broker.close()
    }
}
