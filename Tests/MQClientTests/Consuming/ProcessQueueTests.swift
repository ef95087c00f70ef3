@testable import MQClient
import MQProtocol
import NIOCore
import TestSupport
import Testing

@Suite struct ProcessQueueTests {
    private static let limits = FlowLimits(count: 1000, bytes: 1 << 20, span: 2000)

    private static func queue(
        _ order: ConsumeOrder, from offset: Int64 = 0, limits: FlowLimits = limits
    ) -> ProcessQueue {
        ProcessQueue(from: offset, order: order, limits: limits, now: at(0))
    }

    private static func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private static func messages(_ offsets: some Sequence<Int64>, bytes: Int = 10) -> [ReceivedMessage] {
        offsets.map { Received.message(offset: $0, body: String(repeating: "x", count: bytes)) }
    }

    private func taken(_ queue: inout ProcessQueue, _ limit: Int = 10, at time: Int64 = 0) throws -> ProcessQueue.Batch
    {
        try #require(queue.take(atMost: limit, now: Self.at(time)).batch)
    }

    private func settle(
        _ queue: inout ProcessQueue, _ batch: ProcessQueue.Batch, _ verdict: ProcessQueue.Verdict = .finished
    ) -> ProcessQueue.Effects {
        queue.settle(batch, batch.offsets.map { _ in verdict })
    }

    @Test("The offset to store is the first unfinished one, in whatever order messages finish")
    func commitOffset() throws {
        var queue = Self.queue(.concurrent, from: 5)
        #expect(queue.commitOffset == 5)
        #expect(queue.add(Self.messages(5..<9), next: 9, now: Self.at(1)).isReady)
        let first = try taken(&queue, 1)
        let second = try taken(&queue, 2)
        let third = try taken(&queue, 2)
        #expect([first.offsets, second.offsets, third.offsets] == [[5], [6, 7], [8]])
        _ = settle(&queue, third)
        #expect(queue.commitOffset == 5)
        _ = settle(&queue, first)
        #expect(queue.commitOffset == 6)
        _ = settle(&queue, second)
        #expect(queue.commitOffset == 9)
        #expect(queue.isEmpty && queue.cachedCount == 0 && queue.cachedBytes == 0)
    }

    @Test("What was filtered away counts as finished, but not before what lies in front of it")
    func filtered() throws {
        var queue = Self.queue(.concurrent)
        _ = queue.add(Self.messages([3]), next: 40, now: Self.at(1))
        #expect(queue.commitOffset == 3)
        _ = settle(&queue, try taken(&queue))
        #expect(queue.commitOffset == 40)
        _ = queue.add([], next: 32, now: Self.at(2))
        #expect(queue.nextFetch == 40)
    }

    @Test("Messages that came before are not taken in twice")
    func repeated() {
        var queue = Self.queue(.concurrent)
        _ = queue.add(Self.messages(0..<4), next: 4, now: Self.at(1))
        _ = queue.add(Self.messages(2..<6), next: 6, now: Self.at(1))
        #expect(queue.cachedCount == 6)
        #expect(queue.cachedOffsets == 0...5)
    }

    @Test("A concurrent queue stays on the list while it has something; an orderly one until its batch is settled")
    func listing() throws {
        var concurrent = Self.queue(.concurrent)
        #expect(concurrent.add(Self.messages(0..<3), next: 3, now: Self.at(1)).isReady)
        #expect(!concurrent.add(Self.messages(3..<4), next: 4, now: Self.at(1)).isReady)
        #expect(concurrent.take(atMost: 1, now: Self.at(1)).effects.isReady)

        var orderly = Self.queue(.orderly)
        #expect(orderly.add(Self.messages(0..<3), next: 3, now: Self.at(1)).isReady)
        let (batch, effects) = orderly.take(atMost: 1, now: Self.at(1))
        #expect(!effects.isReady)
        #expect(!orderly.add(Self.messages(3..<5), next: 5, now: Self.at(1)).isReady)
        #expect(orderly.take(atMost: 1, now: Self.at(1)).batch == nil)
        let settled = settle(&orderly, try #require(batch))
        #expect(settled.isReady && settled.isIdle)
    }

    @Test("A suspended message and all behind it are offered again after the pause, with one attempt more")
    func suspension() throws {
        var queue = Self.queue(.orderly)
        _ = queue.add(Self.messages(0..<4), next: 4, now: Self.at(0))
        let batch = try taken(&queue, 3)
        let again = ProcessQueue.Verdict.again(until: nil, countsAttempt: false)
        let effects = queue.settle(batch, [.finished, .again(until: Self.at(500), countsAttempt: true), again])
        #expect(effects.wakeTime == Self.at(500))
        #expect(!effects.isReady)
        #expect(queue.commitOffset == 1)
        #expect(!queue.wake(now: Self.at(499)).isReady)
        #expect(queue.wake(now: Self.at(500)).isReady)
        let second = try taken(&queue, 3, at: 500)
        #expect(second.offsets == [1, 2, 3])
        #expect(second.messages.map(\.reconsumeTimes) == [1, 0, 0])
    }

    @Test("A concurrent message that could not be sent back rests while the others go on")
    func rest() throws {
        var queue = Self.queue(.concurrent)
        _ = queue.add(Self.messages(0..<2), next: 2, now: Self.at(0))
        let first = try taken(&queue, 1)
        _ = settle(&queue, first, .again(until: Self.at(5000), countsAttempt: true))
        #expect(try taken(&queue, 5).offsets == [1])
        #expect(queue.wake(now: Self.at(5000)).isReady)
        #expect(try taken(&queue, 5).messages.map(\.reconsumeTimes) == [1])
    }

    @Test("Pulling pauses beyond each limit and is woken as soon as there is space")
    func flowControl() throws {
        let cases: [(FlowLimits, [Int64])] = [
            (FlowLimits(count: 3, bytes: 1000, span: 1000), [0, 1, 2, 3]),
            (FlowLimits(count: 100, bytes: 30, span: 1000), [0, 1, 2, 3]),
            (FlowLimits(count: 100, bytes: 1000, span: 50), [0, 51]),
        ]
        for (limits, offsets) in cases {
            var queue = Self.queue(.concurrent, limits: limits)
            #expect(queue.mayPull(now: Self.at(0)) == true)
            _ = queue.add(Self.messages(offsets), next: offsets[offsets.count - 1] + 1, now: Self.at(0))
            #expect(queue.mayPull(now: Self.at(0)) == false)
            let batch = try taken(&queue, 1)
            #expect(settle(&queue, batch).wakesPull)
            #expect(queue.mayPull(now: Self.at(0)) == true)
        }
    }

    @Test("Limits for all queues together take the place of a queue's, and a change of share wakes the pulling")
    func sharedLimits() {
        var configuration = ConsumerConfiguration(group: "g")
        configuration.pullThresholdForTopic = 10
        configuration.pullThresholdBytesForTopic = 1000
        let shares = [0, 1, 3, 20].map { configuration.flowLimits(sharedByQueues: $0) }
        #expect(shares.map(\.count) == [10, 10, 3, 1])
        #expect(shares.map(\.bytes) == [1000, 1000, 333, 50])
        var queue = Self.queue(.concurrent, limits: shares[2])
        _ = queue.add(Self.messages(0..<5), next: 5, now: Self.at(0))
        #expect(queue.mayPull(now: Self.at(0)) == false)
        #expect(queue.limit(to: shares[1]).wakesPull)
        #expect(queue.mayPull(now: Self.at(0)) == true)
    }

    @Test("Span counts what is unfinished, so that a slow message in front stops the pulling")
    func span() throws {
        var queue = Self.queue(.concurrent, limits: FlowLimits(count: 1000, bytes: 1 << 20, span: 10))
        _ = queue.add(Self.messages(0..<12), next: 12, now: Self.at(0))
        let slow = try taken(&queue, 1)
        let rest = try taken(&queue, 11)
        #expect(queue.mayPull(now: Self.at(0)) == false)
        #expect(!settle(&queue, rest).wakesPull)
        #expect(settle(&queue, slow).wakesPull)
    }

    @Test("A queue is stalled when a pull that may be sent leads to nothing, not while it waits")
    func stalls() throws {
        let limit = Duration.seconds(120)
        var queue = Self.queue(.concurrent, limits: FlowLimits(count: 1, bytes: 1000, span: 10))
        #expect(queue.mayPull(now: Self.at(1000)) == true)
        #expect(!queue.isStalled(now: Self.at(121_000), limit: limit))
        #expect(queue.isStalled(now: Self.at(121_001), limit: limit))
        #expect(queue.mayPull(isSuspended: true, now: Self.at(1000)) == false)
        #expect(!queue.isStalled(now: Self.at(999_000), limit: limit))
        _ = queue.add(Self.messages(0..<2), next: 2, now: Self.at(2000))
        #expect(queue.mayPull(now: Self.at(2000)) == false)
        #expect(!queue.isStalled(now: Self.at(999_000), limit: limit))
    }

    @Test("A correction waits until everything is finished, and may go backwards")
    func correction() throws {
        var queue = Self.queue(.orderly, from: 50)
        _ = queue.add(Self.messages(50..<52), next: 52, now: Self.at(0))
        #expect(queue.isFinishedWithAll() == false)
        queue.correct(to: 7)
        #expect(queue.nextFetch == 52)
        let batch = try taken(&queue)
        #expect(settle(&queue, batch).wakesPull)
        #expect(queue.isFinishedWithAll() == true)
        queue.correct(to: 7)
        #expect(queue.commitOffset == 7)
        _ = queue.add(Self.messages(7..<9), next: 9, now: Self.at(0))
        #expect(try taken(&queue).offsets == [7, 8])
    }

    @Test(
        "What handlers say of a queue that was given up counts only where nobody else can have it",
        arguments: [
            (ConsumeOrder.concurrent, ProcessQueue.Ending.released, false, true),
            (.concurrent, .drained, true, false),
            (.concurrent, .reset(to: 3), false, true),
            (.orderly, .released, true, false),
            (.orderly, .drained, true, false),
            (.orderly, .lockLost, false, false),
            (.orderly, .reset(to: 3), false, false),
        ])
    func endings(order: ConsumeOrder, ending: ProcessQueue.Ending, counts: Bool, atOnce: Bool) throws {
        var queue = Self.queue(order)
        _ = queue.add(Self.messages(0..<6), next: 6, now: Self.at(0))
        let batch = try taken(&queue, 4)
        queue.end(ending)
        #expect(queue.heedsResults == counts)
        #expect(queue.isReleasable == atOnce)
        #expect(queue.take(atMost: 1, now: Self.at(0)).batch == nil)
        #expect(queue.add(Self.messages(6..<7), next: 7, now: Self.at(0)) == ProcessQueue.Effects())
        #expect(settle(&queue, batch).isIdle)
        #expect(queue.isReleasable)
        let stored: Int64 = if case .reset(let offset) = ending { offset } else { counts ? 4 : 0 }
        #expect(queue.commitOffset == stored)
    }

    @Test("A lost lock and a reset override a release; nothing overrides them")
    func overriding() {
        var queue = Self.queue(.orderly)
        queue.end(.released)
        queue.end(.lockLost)
        queue.end(.drained)
        #expect(queue.ending == .lockLost)
    }

    @Test("An overdue head is abandoned, and its handler's word is not heeded any more")
    func overdue() throws {
        var queue = Self.queue(.concurrent)
        _ = queue.add(Self.messages(0..<2), next: 2, now: Self.at(0))
        let slow = try taken(&queue, 1, at: 100)
        #expect(queue.overdueHead(startedBefore: Self.at(100)) == nil)
        #expect(queue.overdueHead(startedBefore: Self.at(101))?.queueOffset == 0)
        _ = queue.abandonHead(offset: 0)
        #expect(queue.commitOffset == 1)
        #expect(queue.overdueHead(startedBefore: Self.at(101)) == nil)
        _ = settle(&queue, slow, .again(until: nil, countsAttempt: true))
        #expect(queue.commitOffset == 1)
        #expect(queue.cachedCount == 1)
    }

    @Test("Whatever happens, the offset never passes an unfinished message and nothing is lost")
    func random() throws {
        var generator = SeededGenerator()
        for order in [ConsumeOrder.concurrent, .orderly] {
            var queue = Self.queue(order)
            var running: [ProcessQueue.Batch] = []
            var finished: Set<Int64> = []
            var fetched: Int64 = 0
            for step in 0..<3000 {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0 where queue.mayPull(now: Self.at(0)):
                    let next = fetched + Int64.random(in: 1...8, using: &generator)
                    _ = queue.add(Self.messages(fetched..<next), next: next, now: Self.at(Int64(step)))
                    fetched = next
                case 1:
                    let limit = Int.random(in: 1...5, using: &generator)
                    if let batch = queue.take(atMost: limit, now: Self.at(Int64(step))).batch { running.append(batch) }
                case 2 where !running.isEmpty:
                    let batch = running.remove(at: Int.random(in: 0..<running.count, using: &generator))
                    let isGood = batch.offsets.map { _ in Bool.random(using: &generator) }
                    finished.formUnion(zip(batch.offsets, isGood).filter(\.1).map(\.0))
                    _ = queue.settle(
                        batch,
                        isGood.map { $0 ? .finished : .again(until: Self.at(Int64(step) + 5), countsAttempt: true) })
                default:
                    _ = queue.wake(now: Self.at(Int64(step)))
                }
                if order == .orderly { #expect(running.count <= 1) }
                let expected = (0..<fetched).first { !finished.contains($0) } ?? fetched
                try #require(queue.commitOffset == expected)
                try #require(queue.cachedCount == Int(fetched) - finished.count)
            }
        }
    }
}
