import MQProtocol
import NIOCore
import Testing

@testable import Faults

/// The check that the whole laboratory relies on notices what it is there for.
@Suite("The laboratory's check")
struct CheckerTests {
    private let queue = QueueName("T", 0)
    private var history = History()
    private var contents: Contents = [:]

    /// Five messages of one sender, acknowledged and there.
    init() {
        var messages: [FoundMessage] = []
        for number in Int64(0)..<5 {
            _ = history.begin(.single, topic: "T", queueID: 0, sender: 7)
            history.acknowledge(number, at: number * 10, place: Place(queue: queue, offset: number))
            messages.append(Self.found(number, at: number))
        }
        contents[queue] = QueueContents(minimum: 0, maximum: 5, messages: messages)
    }

    private static func found(_ number: Int64, at offset: Int64, storedAt: Int64 = 0) -> FoundMessage {
        FoundMessage(
            place: Place(queue: QueueName("T", 0), offset: offset), body: Payload.body(number),
            keys: Payload.key(number), tag: Payload.tag(number), note: Payload.note(number),
            flag: Payload.flag(number), storedAt: Timestamp(milliseconds: storedAt))
    }

    private func violated(_ expectations: Expectations = Expectations()) -> [Invariant] {
        Checker.check(history, contents, expectations).violations.map(\.invariant)
    }

    private mutating func append(_ message: FoundMessage) {
        contents[queue]?.messages.append(message)
        contents[queue]?.maximum += 1
    }

    private mutating func removeLast() {
        contents[queue]?.messages.removeLast()
        contents[queue]?.maximum -= 1
    }

    @Test("accepts what was acknowledged, and what is in flight there or not")
    mutating func accepts() {
        #expect(violated() == [])
        let number = history.begin(.single, topic: "T", queueID: 0, sender: 8)
        #expect(violated() == [])
        append(Self.found(number, at: 5))
        #expect(violated() == [])
    }

    @Test("finds a lost message, and one whose place was given to another")
    mutating func loss() {
        removeLast()
        #expect(violated() == [.lost])
        let number = history.begin(.single, topic: "T", queueID: 0, sender: 8)
        append(Self.found(number, at: 4))
        #expect(violated() == [.lost])
        history.acknowledge(number, at: 60, place: Place(queue: queue, offset: 4))
        #expect(violated().contains(.offsets))
    }

    @Test("allows a loss in the window of asynchronous flush, and then never the message's return")
    mutating func window() {
        let last = contents[queue]?.messages.last
        removeLast()
        let expectations = Expectations(lossWindows: [35...100])
        let result = Checker.check(history, contents, expectations)
        #expect(result.violations == [])
        #expect(result.lostInWindow == [4])
        #expect(violated(Expectations(lossWindows: [41...100])) == [.lost])
        history.settle(result)
        if let last { append(last) }
        #expect(violated(expectations) == [.torn])
    }

    @Test("what outlived one power loss is on the disk and may not go with the next")
    mutating func survivors() {
        let expectations = Expectations(lossWindows: [35...100])
        let result = Checker.check(history, contents, expectations)
        #expect(result.survived == [4])
        history.settle(result)
        #expect(violated(expectations) == [])
        removeLast()
        #expect(violated(expectations) == [.lost])
    }

    @Test("allows what expired, below the queue's minimum only")
    mutating func expiry() {
        contents[queue]?.messages.removeFirst(2)
        contents[queue]?.minimum = 2
        var expectations = Expectations()
        expectations.beginExpiry(at: 100)
        #expect(violated(expectations) == [])
        #expect(violated() == [.lost, .lost, .lost])
        contents[queue]?.messages.removeLast()
        contents[queue]?.maximum = 4
        #expect(violated(expectations) == [.lost])
    }

    @Test("allows nothing more to expire once the clock is right again")
    mutating func expiryIsOver() {
        var expectations = Expectations()
        expectations.beginExpiry(at: 100)
        contents[queue]?.messages.removeFirst(2)
        contents[queue]?.minimum = 2
        expectations.endExpiry(with: contents, at: 200)
        #expect(violated(expectations) == [])
        #expect(expectations.couldExpire(since: 200))
        #expect(!expectations.couldExpire(since: 201))
        contents[queue]?.messages.removeFirst(1)
        contents[queue]?.minimum = 3
        #expect(violated(expectations) == [.lost, .lost])
    }

    @Test("lets as many delayed messages expire as are gone from their queue, and not one more")
    mutating func expiryWithoutPlaces() {
        for _ in 0..<3 {
            let due = Timestamp(milliseconds: 1)
            let number = history.begin(.delayed(Delay(due: due)), topic: "T", queueID: nil, sender: 8)
            history.acknowledge(number, at: 60, place: nil)
        }
        contents[queue]?.messages.removeFirst(4)
        contents[queue]?.minimum = 4
        var expectations = Expectations()
        expectations.beginExpiry(at: 100)
        expectations.isSettled = true
        // Four places went with the segment: four messages that had them, and none for the delayed ones.
        #expect(violated(expectations) == [.delay, .delay, .delay])
        contents[queue]?.messages = [Self.found(4, at: 6)]
        contents[queue]?.minimum = 6
        contents[queue]?.maximum = 7
        history.acknowledge(4, at: 40, place: Place(queue: queue, offset: 6))
        #expect(violated(expectations) == [.delay])
    }

    @Test(
        "finds every altered field",
        arguments: ["body", "keys", "tag", "note", "flag", "topic"])
    mutating func alteration(field: String) {
        var message = Self.found(2, at: 2)
        switch field {
        case "body": message.body.setInteger(UInt8(0x5A), at: message.body.writerIndex - 1)
        case "keys": message.keys = "key-3"
        case "tag": message.tag = nil
        case "note": message.note = "note"
        case "flag": message.flag += 1
        default: message.place.queue.topic = "U"
        }
        contents[queue]?.messages[2] = message
        #expect(violated().contains(.altered))
    }

    @Test("finds a message that was never sent")
    mutating func invention() {
        append(Self.found(99, at: 5))
        #expect(violated() == [.altered])
    }

    @Test("allows a damaged message to be missing, and never to be served altered")
    mutating func damaged() {
        let place = contents[queue]?.messages[2].place
        history.setState(2, .damaged, place: place)
        #expect(violated() == [])
        contents[queue]?.messages[2].body.setInteger(UInt8(0x5A), at: 9)
        #expect(violated() == [.altered])
        contents[queue]?.messages.remove(at: 2)
        #expect(violated() == [])
        contents[queue]?.messages.remove(at: 2)
        #expect(violated() == [.offsets, .lost])
        history.setState(4, .damaged, place: Place(queue: queue, offset: 4))
        history.setState(3, .damaged, place: Place(queue: queue, offset: 3))
        contents[queue]?.messages.removeLast()
        #expect(violated() == [])
    }

    @Test("finds a gap, a message that is there twice, and the wrong order")
    mutating func places() {
        contents[queue]?.messages.remove(at: 2)
        #expect(violated() == [.offsets, .lost])
        contents[queue]?.messages.insert(Self.found(2, at: 2), at: 2)
        append(Self.found(1, at: 5))
        #expect(violated() == [.order, .duplicate])
    }

    @Test("finds what was not there after a fault and came back, and what was there and is gone")
    mutating func resurrection() {
        let number = history.begin(.single, topic: "T", queueID: 0, sender: 8)
        history.settle(Checker.check(history, contents, Expectations()))
        append(Self.found(number, at: 5))
        #expect(violated() == [.torn])
        removeLast()
        let other = history.begin(.single, topic: "T", queueID: 0, sender: 9)
        append(Self.found(other, at: 5))
        history.settle(Checker.check(history, contents, Expectations()))
        removeLast()
        #expect(violated() == [.lost])
    }

    @Test("finds a delayed message that is early, never comes, or is repeated when nothing excuses it")
    mutating func delays() {
        let due = Timestamp(milliseconds: 1000)
        let number = history.begin(.delayed(Delay(due: due)), topic: "T", queueID: nil, sender: 8)
        history.acknowledge(number, at: 60, place: nil)
        #expect(violated() == [])
        #expect(violated(Expectations(isSettled: true)) == [.delay])
        append(Self.found(number, at: 5, storedAt: 999))
        #expect(violated() == [.delay])
        var setBack = Expectations()
        setBack.setBacks = [Timestamp(milliseconds: 990)...Timestamp(milliseconds: 999)]
        #expect(violated(setBack) == [])
        contents[queue]?.messages[5].storedAt = due
        append(Self.found(number, at: 6, storedAt: 1001))
        #expect(violated() == [.duplicate])
        var expectations = Expectations(isSettled: true)
        let last = Timestamp(milliseconds: .max)
        expectations.repeatWindows = [
            .init(kind: .kill, delivered: due...due, again: Timestamp(milliseconds: 1002)...last)
        ]
        #expect(violated(expectations) == [.duplicate])
        expectations.repeatWindows = [.init(kind: .kill, delivered: due...due, again: due...last)]
        var ended = expectations
        ended.endRepeats(at: Timestamp(milliseconds: 1000))
        #expect(violated(ended) == [.duplicate], "a broker served without trouble in between")
        let result = Checker.check(history, contents, expectations)
        #expect(result.violations == [])
        #expect(result.duplicatesInWindow == [.kill: 1])
        // A third copy has to follow from the second.
        append(Self.found(number, at: 7, storedAt: 1002))
        #expect(violated(expectations) == [.duplicate])
    }

    private static func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test("lets a level be early only where the clock was set back behind its sending, and never before a whole delay")
    mutating func levels() {
        let delay = Delay(due: Self.time(3_601_500), levelSince: Self.time(500))
        let number = history.begin(.delayed(delay), topic: "T", queueID: nil, sender: 8)
        history.acknowledge(number, at: 60, place: nil)
        append(Self.found(number, at: 5, storedAt: 1700))
        #expect(violated() == [.delay])
        var expectations = Expectations()
        expectations.levelRestarts = [.init(at: Self.time(499), due: Self.time(1499))]
        #expect(violated(expectations) == [.delay], "it was set back before")
        expectations.levelRestarts = [.init(at: Self.time(701), due: Self.time(1701))]
        #expect(violated(expectations) == [.delay])
        expectations.levelRestarts = [.init(at: Self.time(700), due: Self.time(1700))]
        #expect(violated(expectations) == [])
    }

    @Test("waits neither for a level that retention made a timer of by a clock that was ahead, nor for long delays")
    mutating func levelsThatWaitOn() {
        let delay = Delay(due: Self.time(1500), levelSince: Self.time(500))
        let number = history.begin(.delayed(delay), topic: "T", queueID: nil, sender: 8)
        history.acknowledge(number, at: 60, place: nil)
        var expectations = Expectations(isSettled: true)
        #expect(violated(expectations) == [.delay])
        expectations.levelRestarts = [.init(at: Self.time(700), due: Self.time(1700))]
        #expect(violated(expectations) == [.delay], "the clock was not ahead")
        expectations.levelRestarts = [.init(at: Self.time(60_501), due: Self.time(61_501), wasAhead: true)]
        #expect(violated(expectations) == [.delay], "it was there long before")
        expectations.levelRestarts = [.init(at: Self.time(700), due: Self.time(1700), wasAhead: true)]
        #expect(violated(expectations) == [])
        let long = history.begin(
            .delayed(Delay(due: Self.time(9000), isLong: true)), topic: "T", queueID: nil, sender: 8)
        history.acknowledge(long, at: 60, place: nil)
        #expect(violated(expectations) == [])
    }

    @Test("finds a long delay's message that is missing when the clock has passed it, early, or there twice")
    mutating func longDelays() {
        let due = Self.time(9000)
        let number = history.begin(.delayed(Delay(due: due, isLong: true)), topic: "T", queueID: nil, sender: 8)
        history.acknowledge(number, at: 60, place: nil)
        let before = contents
        #expect(longViolations(behind: before) == [.delay])
        #expect(longViolations(behind: before, Expectations(lossWindows: [50...60])) == [])
        contents[queue]?.minimum = 5
        #expect(longViolations(behind: before) == [.delay])
        contents[queue]?.minimum = 6
        #expect(longViolations(behind: before) == [], "it came and was deleted")
        contents[queue]?.minimum = 0
        append(Self.found(number, at: 5, storedAt: 8999))
        #expect(longViolations(behind: before) == [.delay])
        contents[queue]?.messages[5].storedAt = due
        #expect(longViolations(behind: before) == [])
        append(Self.found(number, at: 6, storedAt: 9001))
        #expect(longViolations(behind: before) == [.duplicate])
        var expectations = Expectations()
        expectations.beginExpiry(at: 70)
        #expect(longViolations(behind: before, expectations) == [])
    }

    private func longViolations(
        behind before: Contents, _ expectations: Expectations = Expectations()
    ) -> [Invariant] {
        LongDelayCheck(history: history, expectations: expectations, before: before).violations(contents)
            .map(\.invariant)
    }

    @Test("positions that were deleted bring everything again, however late, and nothing of later")
    mutating func deletedPositions() {
        let number = history.begin(.delayed(Delay(due: Self.time(1000))), topic: "T", queueID: nil, sender: 8)
        history.acknowledge(number, at: 60, place: nil)
        append(Self.found(number, at: 5, storedAt: 1000))
        append(Self.found(number, at: 6, storedAt: 90_000))
        var expectations = Expectations()
        let (begin, end, last) = (Self.time(0), Self.time(50_000), Self.time(.max))
        expectations.repeatWindows = [.init(kind: .deletedDelays, delivered: begin...end, again: begin...last)]
        expectations.endRepeats(at: Self.time(60_000))
        #expect(violated(expectations) == [])
        contents[queue]?.messages[5].storedAt = Self.time(50_001)
        #expect(violated(expectations) == [.duplicate])
    }

    @Test("finds a question about a transaction whose verdict was accepted, unless something excuses it")
    func checkBacks() {
        var checks = CheckBacks()
        func found(_ windows: [ClosedRange<Int64>] = []) -> [Invariant] {
            checks.takeViolations(excusing: windows).map(\.invariant)
        }
        checks.accept(1, at: 10)
        checks.isDisturbed = false
        checks.ask(1, at: 10_000)
        #expect(found() == [], "it was accepted while something was wrong")
        checks.accept(2, at: 10)
        checks.ask(2, at: 10 + CheckBacks.grace)
        checks.ask(3, at: 10_000)
        checks.isDisturbed = true
        checks.ask(2, at: 10_000)
        checks.isDisturbed = false
        #expect(found() == [])
        checks.ask(2, at: 10_000)
        #expect(found() == [.transaction])
        #expect(found() == [])
        checks.accept(2, at: 20)
        checks.ask(2, at: 10_000)
        #expect(found([15...25]) == [])
        checks.accept(2, at: 20)
        checks.forget()
        checks.ask(2, at: 10_000)
        #expect(found() == [])
    }

    @Test("finds a transaction's message without its commit, twice, or missing")
    mutating func transactions() {
        let number = history.begin(.transactional, topic: "T", queueID: nil, sender: 8)
        history.acknowledge(number, at: 60, place: nil)
        #expect(violated() == [])
        #expect(violated(Expectations(isSettled: true)) == [.transaction], "nobody was asked about it")
        append(Self.found(number, at: 5))
        #expect(violated() == [.transaction])
        history.decide(number, .rollback)
        #expect(violated() == [.transaction])
        history.decide(number, .commit)
        #expect(violated() == [])
        append(Self.found(number, at: 6))
        #expect(violated() == [.duplicate])
        removeLast()
        removeLast()
        #expect(violated(Expectations(isSettled: true)) == [.transaction])
    }

    private func offsetViolations(_ offset: Int64?) -> [Invariant] {
        OffsetCheck(history: history, contents: contents).violations(offset.map { [queue: $0] } ?? [:])
            .map(\.invariant)
    }

    @Test("finds a consumer's offset ahead of what was consumed, or of the queue")
    mutating func consumerOffsets() {
        history.consume(queue, below: 4)
        #expect(offsetViolations(4) == [])
        #expect(offsetViolations(5) == [.consumerOffset])
        history.consume(queue, below: 6)
        #expect(offsetViolations(6) == [.consumerOffset])
    }

    @Test("finds a consumer's offset that fell back, or is gone; the last two seconds may be")
    mutating func lostOffsets() {
        history.consume(queue, below: 4)
        for (offset, time) in [(2, 0), (3, 1000), (4, 3000)] { history.confirm(queue, Int64(offset), at: Int64(time)) }
        #expect(offsetViolations(3) == [])
        #expect(offsetViolations(2) == [.consumerOffset])
        #expect(offsetViolations(nil) == [.consumerOffset])
        // The end of the queue is gone, and the offset with it.
        contents[queue]?.messages.removeLast(3)
        contents[queue]?.maximum = 2
        #expect(offsetViolations(2) == [])
        history.forgetConfirmations()
        #expect(offsetViolations(nil) == [])
        // What a start has said stays, however short it was.
        history.restartConfirmations(with: [queue: 1])
        #expect(offsetViolations(0) == [.consumerOffset])
        history.confirm(queue, 2, at: 3010)
        #expect(offsetViolations(1) == [])
        #expect(offsetViolations(0) == [.consumerOffset])
    }
}
