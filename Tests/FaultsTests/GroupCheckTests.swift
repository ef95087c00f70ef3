import MQProtocol
import Testing

@testable import Faults

/// The check of what consumer groups were given.
@Suite("The laboratory's check of groups")
struct GroupCheckTests {
    private let queue = QueueName(Topics.single, 0)
    private var history = History()
    private var contents: Contents = [:]
    private var expectations = Expectations()
    private var deliveries = Deliveries(isOrdered: true)
    private var found: [Int64: Place] = [:]

    /// A number of each fate.
    private static let usual = number(.handled)
    private static let failing = number(.failsAlways)

    private static func number(_ fate: Payload.Fate) -> Int64 {
        (Int64(0)...1000).first { Payload.fate($0) == fate } ?? -1
    }

    /// Messages up to number 1000 that were sent, of which two are in the queue.
    init() {
        for _ in 0...1000 { _ = history.begin(.single, topic: queue.topic, queueID: 0, sender: 1) }
        var messages: [FoundMessage] = []
        for (offset, number) in [Self.usual, Self.failing].sorted().enumerated() {
            let place = Place(queue: queue, offset: Int64(offset))
            found[number] = place
            messages.append(
                FoundMessage(
                    place: place, body: Payload.body(number), flag: 0, storedAt: Timestamp(milliseconds: 0)))
        }
        contents[queue] = QueueContents(minimum: 0, maximum: 2, messages: messages)
    }

    private var check: GroupCheck {
        GroupCheck(
            group: .stock, history: history, contents: contents, expectations: expectations, found: found)
    }

    private mutating func deliver(_ number: Int64, attempt: Int32 = 0, time: Int64 = 10, identity: String? = nil) {
        let result = deliveries.begin(number, sender: 1, at: found[number], attempt: attempt, time: time)
        deliveries.end(number, result, identity: identity ?? "\(number)")
    }

    /// Everything was given as often as it should be.
    private mutating func deliverAll() {
        for number in found.keys.sorted() {
            let attempts = number == Self.failing ? 0...ConsumerGroup.maximumRetries : 0...0
            for attempt in attempts { deliver(number, attempt: attempt) }
        }
    }

    private func settled(dead: [Int64]) -> [Invariant] {
        check.settledViolations(deliveries, dead: dead).map(\.invariant)
    }

    @Test("accepts that each was given, and the failing one is one dead letter")
    mutating func accepts() {
        deliverAll()
        #expect(settled(dead: [Self.failing]) == [])
        #expect(deliveries.takeViolations() == [])
    }

    @Test("finds a message that its group never got, and the effect that is missing with it")
    mutating func neverGiven() {
        deliver(Self.failing, attempt: 2)
        #expect(settled(dead: [Self.failing]) == [.delivery, .effect])
    }

    @Test("finds a dead letter that is missing, double, or another's")
    mutating func deadLetters() {
        deliverAll()
        #expect(settled(dead: []) == [.delivery])
        #expect(settled(dead: [Self.failing, Self.failing]) == [.delivery])
        #expect(settled(dead: [Self.failing, Self.usual]) == [.delivery])
        deliveries.disturbedUntil = 20
        #expect(settled(dead: [Self.failing, Self.failing]) == [])
    }

    @Test("excuses a retry that could expire, or was lost in the window of asynchronous flush")
    mutating func excuses() {
        deliver(Self.usual)
        deliver(Self.failing)
        #expect(settled(dead: []) == [.delivery])
        expectations.lossWindows = [0...5]
        #expect(settled(dead: []) == [.delivery])
        expectations.lossWindows = [0...15]
        #expect(settled(dead: []) == [])
        expectations.lossWindows = []
        expectations.beginExpiry(at: 30)
        #expect(settled(dead: []) == [])
    }

    @Test("finds an effect that is there twice")
    mutating func effects() {
        let dead = [Self.failing]
        deliverAll()
        deliver(Self.usual)
        #expect(settled(dead: dead) == [])
        deliver(Self.usual, identity: "another")
        #expect(settled(dead: dead) == [.effect])
    }

    @Test("finds an offset behind a message that the group was not given")
    mutating func offsets() {
        let first = found.keys.min() ?? 0
        deliver(first)
        #expect(check.offsetViolations([queue: 1], deliveries) == [])
        #expect(check.offsetViolations([queue: 2], deliveries).map(\.invariant) == [.consumerOffset])
    }

    @Test("finds that a message is gone which a group was given")
    mutating func vanished() {
        deliverAll()
        #expect(check.vanished(deliveries) == [])
        let place = found.removeValue(forKey: Self.usual)
        #expect(check.vanished(deliveries).map(\.invariant) == [.lost])
        expectations.lossWindows = [11...15]
        #expect(check.vanished(deliveries).map(\.invariant) == [.lost])
        expectations.lossWindows = [5...8]
        #expect(check.vanished(deliveries) == [])
        expectations.lossWindows = []
        expectations.beginExpiry(at: 30)
        contents[queue]?.minimum = (place?.offset ?? 0) + 1
        #expect(check.vanished(deliveries) == [])
    }

    @Test("with retention by consumption, finds what was deleted before the group was given it")
    mutating func deleted() {
        for (number, place) in found { history.acknowledge(number, at: 5, place: place) }
        deliver(found.keys.min() ?? 0)
        #expect(check.deletedViolations(deliveries, known: [queue]) == [])
        contents[queue]?.minimum = 1
        #expect(check.deletedViolations(deliveries, known: [queue]) == [])
        contents[queue]?.minimum = 2
        #expect(check.deletedViolations(deliveries, known: [queue]).map(\.invariant) == [.lost])
        #expect(check.deletedViolations(deliveries, known: []) == [])
    }

    @Test("a message that is done stays done when another member gets it again")
    mutating func doneTwice() {
        deliver(Self.failing, attempt: ConsumerGroup.maximumRetries)
        deliver(Self.failing)
        #expect(deliveries.records[Self.failing]?.result == .givenUp)
    }

    @Test("finds a message given before the ones of its sender in front of it are done, and one attempt too many")
    mutating func order() {
        let numbers = found.keys.sorted()
        _ = deliveries.begin(numbers[0], sender: 1, at: nil, attempt: 0, time: 1)
        _ = deliveries.begin(numbers[1], sender: 1, at: nil, attempt: 0, time: 2)
        #expect(deliveries.takeViolations().map(\.invariant) == [.order])
        let late = (Int64(0)...1000).first { $0 < numbers[1] && !numbers.contains($0) } ?? 0
        _ = deliveries.begin(late, sender: 1, at: nil, attempt: 0, time: 3)
        #expect(deliveries.takeViolations().map(\.invariant) == [.order])
        _ = deliveries.begin(numbers[0], sender: 1, at: nil, attempt: 3, time: 4)
        #expect(deliveries.takeViolations().map(\.invariant) == [.delivery])
        deliveries.disturbedUntil = 5
        _ = deliveries.begin(numbers[0], sender: 1, at: nil, attempt: 3, time: 6)
        #expect(deliveries.takeViolations() == [])
    }
}
