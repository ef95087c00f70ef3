import Foundation
import MQProtocol
import TestSupport
import Testing

@testable import Escrow

/// What may leave the outbox, and when.
@Suite struct RelayLanesTests {
    private var lanes = RelayLanes()
    private let start = Timestamp(milliseconds: 1_000_000)

    private func row(_ sequence: Int64, _ key: String?, topic: String = "t") -> OutboxRow {
        OutboxRow(
            sequence: sequence, fence: nil,
            event: OutgoingEvent(
                topic: topic, tag: "e", idempotencyKey: "\(sequence)", orderingKey: key, body: Data([1])),
            half: nil)
    }

    private mutating func take(at time: Timestamp? = nil) -> [Int64] {
        lanes.take(limit: 10, now: time ?? start).map(\.sequence)
    }

    /// Reads as the relay does: what stands behind the cursor, as much as there is room for.
    private mutating func read(_ table: [OutboxRow]) {
        guard let reading = lanes.beginReading() else { return }
        lanes.endReading(reading, Array(table.filter { $0.sequence > reading.after }.prefix(reading.limit)))
    }

    @Test mutating func rowsOfAKeyLeaveOneAfterTheOther() {
        read([row(1, "a"), row(2, "a"), row(3, "b"), row(4, nil), row(5, nil)])
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
        read([row(1, "a"), row(2, "a"), row(3, "b")])
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
        // Let go when the first one failed.
        #expect(take() == [])
        read([row(2, "a"), row(3, "b")])
        #expect(take() == [2])
    }

    @Test mutating func pausesGrowToFiveSecondsAndNoFurther() {
        read([row(1, "a")])
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
        read([row(1, "a")])
        #expect(take() == [1])
        read([row(2, "a")])
        #expect(take() == [])
        lanes.delivered(row(1, "a"))
        #expect(take() == [2])
    }

    @Test mutating func rowsAreTakenOnceHoweverOftenTheyAreRead() {
        read([row(1, nil), row(2, nil)])
        read([row(1, nil), row(2, nil), row(3, nil)])
        #expect(take() == [1, 2, 3])
        #expect(lanes.cursor == 3)
    }

    /// What was in flight when the lease was lost does not push anything on after it was read again.
    @Test mutating func answersOfAnEarlierLeaseAreIgnored() {
        read([row(1, "a"), row(2, "a")])
        #expect(take() == [1])
        lanes.removeAll()
        lanes.delivered(row(1, "a"))
        read([row(1, "a"), row(2, "a")])
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
        read((1...Int64(RelayLanes.capacity) + 9).map { row($0, "k\($0 % 7)") })
        #expect(lanes.room == 0 && lanes.cursor == Int64(RelayLanes.capacity))
        #expect(lanes.beginReading() == nil)
    }

    /// Rows are taken as they were written only when nothing can stand before them.
    @Test mutating func writtenRowsAreTakenWhenNothingIsMissing() {
        read([row(1, nil)])
        let isTaken = lanes.offer([row(2, "a"), row(3, "a")])
        #expect(isTaken)
        #expect(take() == [1, 2])
        // Another process wrote 4.
        let isTakenBehindAGap = lanes.offer([row(5, nil)])
        #expect(!isTakenBehindAGap && lanes.cursor == 3)
        let reading = lanes.beginReading()
        let isTakenWhileReading = lanes.offer([row(4, nil)])
        #expect(!isTakenWhileReading)
        reading.map { lanes.endReading($0, [row(4, nil), row(5, nil)]) }
        #expect(take() == [4, 5])
    }

    // MARK: What cannot leave

    /// The rows of one key fill everything that is read ahead; when it fails, the other keys go on.
    @Test mutating func aLaneThatFailsLeavesTheRoomToOthers() {
        let capacity = Int64(RelayLanes.capacity)
        let table = (1...capacity).map { row($0, "a") } + [row(capacity + 1, "b"), row(capacity + 2, nil)]
        read(table)
        #expect(take() == [1])
        lanes.failed(row(1, "a"), now: start)
        read(table)
        #expect(take() == [capacity + 1, capacity + 2])

        // What was passed over follows in its order.
        let later = start.advanced(by: .seconds(1))
        #expect(take(at: later) == [1])
        #expect(!lanes.wantsReading)
        lanes.delivered(row(1, "a"))
        #expect(lanes.wantsReading)
        read(table)
        #expect(take(at: later) == [2])
    }

    /// Each key of a topic that is away fails: nothing more of it is read, until it is back.
    @Test mutating func aTopicThatIsAwayLeavesTheRoomToOthers() {
        let away = Int64(RelayLanes.failingLimit + 3000)
        let table =
            (1...away).map { row($0, $0 % 2 == 0 ? "k\($0)" : nil, topic: "away") }
            + [row(away + 1, "b"), row(away + 2, nil)]
        var now = start
        var left: [Int64] = []
        for _ in 0..<200 where left.count < 2 {
            read(table)
            now = now.advanced(by: .seconds(5))
            for row in lanes.take(now: now) {
                if row.event.topic == "away" { lanes.failed(row, now: now) } else { left.append(row.sequence) }
                if row.event.topic != "away" { lanes.delivered(row) }
            }
        }
        #expect(left == [away + 1, away + 2])

        var arrived: Set<Int64> = []
        for _ in 0..<2000 where arrived.count < Int(away) {
            read(table)
            now = now.advanced(by: .seconds(5))
            for row in lanes.take(now: now) {
                #expect(arrived.insert(row.sequence).inserted)
                lanes.delivered(row)
            }
        }
        #expect(arrived.count == Int(away))
    }

    /// What another topic has of a key that was passed over waits for it; other keys do not.
    @Test mutating func aKeyStaysInOrderAcrossTopicsWhileOneIsPassedOver() {
        // More than are read before the topic is passed over.
        let away = Int64(RelayLanes.failingLimit + RelayLanes.capacity + 1000)
        let table =
            (1...away).map { row($0, nil, topic: "away") }
            + [row(away + 1, "a", topic: "away"), row(away + 2, "a"), row(away + 3, "b"), row(away + 4, "a")]
        var now = start
        var left: [Int64] = []
        for _ in 0..<2000 where left.isEmpty {
            read(table)
            now = now.advanced(by: .seconds(5))
            for row in lanes.take(now: now) {
                if row.event.topic == "away" { lanes.failed(row, now: now) } else { left.append(row.sequence) }
                if row.event.topic != "away" { lanes.delivered(row) }
            }
        }
        #expect(left == [away + 3])

        for _ in 0..<2000 where left.count < 4 {
            read(table)
            now = now.advanced(by: .seconds(5))
            for row in lanes.take(now: now) {
                if row.event.orderingKey != nil { left.append(row.sequence) }
                lanes.delivered(row)
            }
        }
        #expect(left == [away + 3, away + 1, away + 2, away + 4])
    }

    @Test mutating func whatMayTakeLongToFailLeavesPlacesInFlight() {
        let failing = (1...Int64(RelayLanes.inFlightLimit)).map { row($0, nil, topic: "away") }
        read(failing)
        for row in lanes.take(now: start) { lanes.failed(row, now: start) }
        let later = start.advanced(by: .seconds(1))
        read((1...300).map { row(1000 + $0, nil) })
        let taken = lanes.take(now: later)
        #expect(taken.count == RelayLanes.inFlightLimit)
        #expect(taken.filter { $0.event.topic == "away" }.count == RelayLanes.doubtfulLimit)
    }

    /// Read again, because the reader went back, while it still stands in the table.
    @Test mutating func whatHasLeftDoesNotLeaveAgain() {
        let table = [row(1, "a"), row(2, "a"), row(3, "b")]
        read(table)
        #expect(take() == [1, 3])
        lanes.failed(row(1, "a"), now: start)
        lanes.delivered(row(3, "b"))
        let later = start.advanced(by: .seconds(1))
        #expect(take(at: later) == [1])
        lanes.delivered(row(1, "a"))
        let reading = lanes.beginReading()
        // Taken out of the table while an older state of it is being read.
        lanes.removed([1, 3])
        reading.map { lanes.endReading($0, table.filter { $0.sequence > 1 }) }
        #expect(take(at: later) == [2])
        lanes.delivered(row(2, "a"))
        #expect(take(at: later) == [])
    }

    /// A lease that was lost and taken again while the outbox was read: nothing in between is missed.
    @Test mutating func aReadingOfAnEarlierLeaseSaysNothing() {
        read([row(1, nil)])
        let reading = lanes.beginReading()
        lanes.removeAll()
        reading.map { lanes.endReading($0, [row(2, nil)]) }
        #expect(lanes.cursor == 0)
        read([row(1, nil), row(2, nil)])
        #expect(take() == [1, 2])
    }

    /// Any schedule of answers keeps the order within each key and loses nothing.
    @Test mutating func anyScheduleKeepsTheOrder() {
        var random = SeededGenerator()
        let rows = (1...500).map { row($0, $0 % 5 == 0 ? nil : "k\($0 % 7)") }
        var table = rows
        var now = start
        var done: [OutboxRow] = []
        var flying: [OutboxRow] = []
        while done.count < rows.count {
            if Int.random(in: 0..<3, using: &random) == 0 || flying.isEmpty { read(table) }
            flying += lanes.take(limit: Int.random(in: 0...20, using: &random), now: now)
            now = now.advanced(by: .milliseconds(Int.random(in: 0...500, using: &random)))
            guard !flying.isEmpty else { continue }
            let row = flying.remove(at: Int.random(in: 0..<flying.count, using: &random))
            if Int.random(in: 0..<4, using: &random) == 0 {
                lanes.failed(row, now: now)
                continue
            }
            lanes.delivered(row)
            done.append(row)
            guard Bool.random(using: &random) else { continue }
            table.removeAll { $0.sequence == row.sequence }
            lanes.removed([row.sequence])
        }
        for key in Set(rows.compactMap(\.event.orderingKey)) {
            let order = done.filter { $0.event.orderingKey == key }.map(\.sequence)
            #expect(order == order.sorted(), "key \(key)")
        }
        #expect(Set(done.map(\.sequence)).count == 500)
        #expect(lanes.count == 0 && lanes.inFlight == 0)
    }
}
