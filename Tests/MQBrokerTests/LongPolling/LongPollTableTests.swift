import MQBroker
import MQProtocol
import Testing

@Suite struct LongPollTableTests {
    typealias Table = LongPollTable<String>

    func parked(_ name: String, offset: Int64 = 0, filter: String = "*", deadline: Int64 = 100) -> Table.Parked {
        Table.Parked(
            pull: name, offset: QueueOffset(rawValue: offset), filter: TagFilter(expression: filter),
            deadline: Timestamp(milliseconds: deadline)
        )
    }

    func arrive(_ table: inout Table, queue: Int = 1, offset: Int64, tag: String = "") -> [String] {
        var woken: [String] = []
        table.arrived(
            onQueue: queue, offset: QueueOffset(rawValue: offset), tagsCode: Int64(javaHash(tag)), into: &woken
        )
        return woken
    }

    @Test func aMessageWakesWhoWaitsForIt() {
        var table = Table()
        table.park(parked("a", offset: 5), onQueue: 1)
        table.park(parked("b", offset: 6), onQueue: 1)
        table.park(parked("c", offset: 5), onQueue: 2)
        #expect(arrive(&table, offset: 4).isEmpty)
        #expect(arrive(&table, offset: 5) == ["a"])
        #expect(arrive(&table, offset: 6) == ["b"])
        #expect(table.count == 1)
        #expect(table.wakeAll(onQueue: 2) == ["c"])
        #expect(table.isEmpty)
    }

    @Test func aFilterThatDoesNotMatchStaysParked() {
        var table = Table()
        table.park(parked("a", filter: "TagA || TagB"), onQueue: 1)
        #expect(arrive(&table, offset: 0, tag: "TagC").isEmpty)
        #expect(table.count == 1)
        #expect(arrive(&table, offset: 1, tag: "TagB") == ["a"])
    }

    @Test func timeEndsTheWait() {
        var table = Table()
        table.park(parked("a", deadline: 100), onQueue: 1)
        table.park(parked("b", deadline: 200), onQueue: 1)
        #expect(table.expire(now: Timestamp(milliseconds: 99)).isEmpty)
        #expect(table.expire(now: Timestamp(milliseconds: 100)) == ["a"])
        let rest = table.take { $0.pull == "b" }
        #expect(rest == ["b"])
        #expect(table.isEmpty)
    }
}
