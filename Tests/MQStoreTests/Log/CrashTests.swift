import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

/// Power lost at random moments of a random load.
@Suite struct CrashTests {
    /// What the senders were told, life after life.
    private struct History {
        var acknowledged: [LogOffset: String] = [:]
        /// Appended and not known to be durable: may be there or not.
        var pending: [LogOffset: String] = [:]

        mutating func acknowledge(upTo offset: LogOffset) {
            for (start, body) in pending where start < offset {
                acknowledged[start] = body
                pending[start] = nil
            }
        }

        /// I1, I2, I3: everything acknowledged is there, everything that is there was sent, nothing is torn.
        mutating func check(_ found: Recovered, attempted: Set<String>) {
            let present = Dictionary(uniqueKeysWithValues: found.entries.map { ($0.offset, $0.body) })
            for (offset, body) in acknowledged { #expect(present[offset] == body, "acknowledged at \(offset)") }
            for body in present.values { #expect(attempted.contains(body)) }
            var next: [Int: Int64] = [:]
            for entry in found.entries {
                #expect(entry.queueOffset.rawValue == next[entry.queue, default: 0], "I4 at \(entry.offset)")
                next[entry.queue, default: 0] += 1
            }
            acknowledged = present
            pending = [:]
        }
    }

    @Test(arguments: [512, 4096])
    func `Every flushed record survives and no torn one is readable`(sectorBytes: Int) throws {
        let seed = TestSeed.current
        for round in 0..<25 {
            try lives(seed: seed &+ UInt64(round) &* 1_000_003, sectorBytes: sectorBytes)
        }
    }

    private func lives(seed: UInt64, sectorBytes: Int) throws {
        let fixture = LogFixture(seed: seed, segmentBytes: 8192, sectorBytes: sectorBytes)
        var random = SimulatedRandom(seed: seed)
        var history = History()
        var attempted: Set<String> = []
        for life in 0..<4 {
            let (log, found) = try fixture.open(.abnormal(notAfter: .zero))
            history.check(found, attempted: attempted)
            // The scan of a second recovery ends at the same place (I12).
            let again = try fixture.load().recover(.abnormal(notAfter: .zero)) { _, _, _ in .accept }
            #expect(again.end == found.report.end && again.cause == nil)
            for step in 0..<random.next(upTo: 40) {
                oneStep("\(seed) \(life) \(step)", log, fixture, &random, &history, &attempted)
            }
            if random.next(upTo: 3) == 0 { fixture.device.kill() } else { fixture.device.crash() }
            fixture.device.clearFaults()
        }
    }

    private func oneStep(
        _ name: String,
        _ log: CommitLog,
        _ fixture: LogFixture,
        _ random: inout SimulatedRandom,
        _ history: inout History,
        _ attempted: inout Set<String>
    ) {
        switch random.next(upTo: 19) {
        case 0: fixture.device.fail(.write, after: random.next(upTo: 2))
        case 1: fixture.device.fail(.flush, after: random.next(upTo: 1))
        case 2...6:
            if let end = try? log.flush() { history.acknowledge(upTo: end) }
        case 7, 8: try? log.zeroFillAhead()
        default:
            var batch = log.makeBatch()
            var bodies: [String] = []
            let isGroup = random.next(upTo: 1) == 0
            if isGroup { batch.beginGroup() }
            for index in 0...random.next(upTo: 4) {
                let body = "\(name) \(index) " + String(repeating: "c", count: random.next(upTo: 900))
                let queue = random.next(upTo: 2)
                guard (try? batch.add(LogFixture.draft(body, queue: queue), to: LogFixture.queue(queue))) != nil else {
                    continue
                }
                bodies.append(body)
                attempted.insert(body)
            }
            if isGroup { batch.endGroup() }
            guard (try? log.append(&batch)) != nil else { return }
            for (index, body) in bodies.enumerated() { history.pending[batch[index].logOffset] = body }
        }
    }
}
