import Foundation
import MQProtocol
import TestSupport
import Testing

@testable import Escrow

/// What may leave the outbox, and when.
@Suite struct RelayLanesTests {
    private var lanes = RelayLanes()
    private let start = Timestamp(milliseconds: 1_000_000)

    private func row(_ sequence: Int64, _ key: String?) -> OutboxRow {
        OutboxRow(
            sequence: sequence, fence: nil,
            event: OutgoingEvent(
                topic: "t", tag: "e", idempotencyKey: "\(sequence)", orderingKey: key, body: Data([1])),
            half: nil)
    }

    private mutating func take(at time: Timestamp? = nil) -> [Int64] {
        lanes.take(limit: 10, now: time ?? start).map(\.sequence)
    }

    @Test mutating func rowsOfAKeyLeaveOneAfterTheOther() {
        lanes.add([row(1, "a"), row(2, "a"), row(3, "b"), row(4, nil), row(5, nil)])
        #expect(take() == [1, 3, 4, 5])
        #expect(take() == [])
        lanes.delivered(row(1, "a"))
        #expect(take() == [2])
        lanes.delivered(row(2, "a"))
        lanes.delivered(row(3, "b"))
        #expect(take() == [])
        #expect(lanes.count == 2 && lanes.inFlight == 2)
    }

    @Test mutating func aRowThatFailsKeepsItsPlaceAndLeavesLater() {
        lanes.add([row(1, "a"), row(2, "a"), row(3, "b")])
        #expect(take() == [1, 3])
        #expect(lanes.failed(row(1, "a"), now: start) == 1)
        #expect(take() == [])
        #expect(lanes.nextRetry == start.advanced(by: .milliseconds(100)))
        let later = start.advanced(by: .milliseconds(100))
        #expect(take(at: later) == [1])
        #expect(lanes.failed(row(1, "a"), now: later) == 2)
        #expect(lanes.nextRetry == later.advanced(by: .milliseconds(200)))
        #expect(take(at: later.advanced(by: .seconds(1))) == [1])
        lanes.delivered(row(1, "a"))
        #expect(take() == [2])
    }

    @Test mutating func pausesGrowToFiveSecondsAndNoFurther() {
        lanes.add([row(1, "a")])
        var now = start
        for _ in 0..<40 {
            #expect(take(at: now) == [1])
            lanes.failed(row(1, "a"), now: now)
            let next = lanes.nextRetry ?? now
            #expect(now.duration(to: next) <= .seconds(5))
            now = next
        }
        #expect(now.duration(to: lanes.nextRetry ?? now) == .zero)
    }

    @Test mutating func aLateRowJoinsItsBusyLane() {
        lanes.add([row(1, "a")])
        #expect(take() == [1])
        lanes.add([row(2, "a")])
        #expect(take() == [])
        lanes.delivered(row(1, "a"))
        #expect(take() == [2])
    }

    @Test mutating func rowsAreTakenOnceHoweverOftenTheyAreRead() {
        lanes.add([row(1, nil), row(2, nil)])
        lanes.add([row(1, nil), row(2, nil), row(3, nil)])
        #expect(take() == [1, 2, 3])
        #expect(lanes.cursor == 3)
    }

    /// What was in flight when the lease was lost does not push anything on after it was read again.
    @Test mutating func answersOfAnEarlierLeaseAreIgnored() {
        lanes.add([row(1, "a"), row(2, "a")])
        #expect(take() == [1])
        lanes.removeAll()
        lanes.delivered(row(1, "a"))
        lanes.add([row(1, "a"), row(2, "a")])
        lanes.delivered(row(1, "a"))
        #expect(take() == [1])
        lanes.delivered(row(2, "a"))
        #expect(take() == [])
        lanes.delivered(row(1, "a"))
        #expect(take() == [2])
        #expect(lanes.inFlight == 1)
    }

    @Test mutating func theOutboxIsReadNoFurtherThanThereIsRoom() {
        #expect(lanes.room == RelayLanes.capacity)
        lanes.add((1...Int64(RelayLanes.capacity)).map { row($0, "k\($0 % 7)") })
        #expect(lanes.room == 0)
    }

    /// Any schedule of answers keeps the order within each key and loses nothing.
    @Test mutating func anyScheduleKeepsTheOrder() {
        var random = SeededGenerator()
        let rows = (1...500).map { row($0, $0 % 5 == 0 ? nil : "k\($0 % 7)") }
        lanes.add(rows)
        var now = start
        var done: [OutboxRow] = []
        var flying: [OutboxRow] = []
        while done.count < rows.count {
            flying += lanes.take(limit: Int.random(in: 0...20, using: &random), now: now)
            now = now.advanced(by: .milliseconds(Int.random(in: 0...500, using: &random)))
            guard !flying.isEmpty else { continue }
            let row = flying.remove(at: Int.random(in: 0..<flying.count, using: &random))
            if Int.random(in: 0..<4, using: &random) == 0 {
                lanes.failed(row, now: now)
            } else {
                lanes.delivered(row)
                done.append(row)
            }
        }
        for key in Set(rows.compactMap(\.event.orderingKey)) {
            let order = done.filter { $0.event.orderingKey == key }.map(\.sequence)
            #expect(order == order.sorted(), "key \(key)")
        }
        #expect(Set(done.map(\.sequence)).count == 500)
        #expect(lanes.count == 0 && lanes.inFlight == 0)
    }
}
