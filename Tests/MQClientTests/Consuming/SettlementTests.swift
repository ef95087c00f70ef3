@testable import MQClient
import Testing

@Suite struct SettlementTests {
    private static func rules(
        _ order: ConsumeOrder, broadcasting: Bool = false, maximum: Int32 = .max
    ) -> Settlement.Rules {
        Settlement.Rules(
            order: order, isBroadcasting: broadcasting, maximumReconsumeTimes: maximum, suspendTime: .seconds(1))
    }

    private func settle(
        _ outcomes: [ConsumeOutcome], _ rules: Settlement.Rules, attempts: [Int32] = [0, 0, 0]
    ) -> (steps: [Settlement.Step], pause: Duration?) {
        let settlement = Settlement(attempts: attempts, outcomes: outcomes, rules: rules)
        return (settlement.steps, settlement.pause)
    }

    @Test("Concurrent: each message by its own outcome; missing ones are retried")
    func concurrent() {
        let some = settle([.consumed, .retryLater(level: 5)], Self.rules(.concurrent))
        #expect(some.steps == [.acknowledge, .sendBack(level: 5), .sendBack(level: 0)])
        #expect(some.pause == nil)
        let others = settle([.suspend(.seconds(9)), .deadLetter, .retryLater(level: -3)], Self.rules(.concurrent))
        #expect(others.steps == [.sendBack(level: 0), .sendBack(level: -1), .sendBack(level: 0)])
    }

    @Test("Orderly: a suspended message stops everything behind it, whatever was said of it")
    func orderly() {
        let (steps, pause) = settle([.consumed, .suspend(.milliseconds(300)), .consumed], Self.rules(.orderly))
        #expect(steps == [.acknowledge])
        #expect(pause == .milliseconds(300))
        let missing = settle([.retryLater()], Self.rules(.orderly))
        #expect(missing.steps == [.sendBack(level: 0)])
        #expect(missing.pause == .seconds(1))
    }

    @Test(
        "Pauses are between 10 ms and 30 s",
        arguments: [
            (Duration.zero, Duration.milliseconds(10)), (.milliseconds(10), .milliseconds(10)),
            (.seconds(30), .seconds(30)), (.seconds(600), .seconds(30)),
        ])
    func pauses(asked: Duration, given: Duration) {
        #expect(settle([.suspend(asked)], Self.rules(.orderly)).pause == given)
    }

    @Test("Orderly: after the last attempt a message is a dead letter and those behind it go on at once")
    func exhausted() {
        let rules = Self.rules(.orderly, maximum: 3)
        let (steps, pause) = settle([.suspend(.seconds(1))], rules, attempts: [3, 0, 0])
        #expect(steps == [.sendBack(level: -1)])
        #expect(pause == .zero)
        #expect(settle([.suspend(.seconds(1))], rules, attempts: [3]).pause == nil)
        #expect(settle([.suspend(.seconds(1))], rules, attempts: [2]).steps.isEmpty)
    }

    @Test("Broadcasting drops what fails, and suspends all the same")
    func broadcasting() {
        let rules = Self.rules(.concurrent, broadcasting: true)
        #expect(
            settle([.retryLater(), .deadLetter, .suspend(.seconds(1))], rules).steps == [.discard, .discard, .discard])
        let orderly = settle([.suspend(.seconds(1))], Self.rules(.orderly, broadcasting: true))
        #expect(orderly.steps.isEmpty && orderly.pause == .seconds(1))
    }
}
