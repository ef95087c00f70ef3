import Testing

@testable import MQBroker

@Suite struct SlotsTests {
    private func insert(_ value: String, into slots: inout Slots<String>) -> Slots<String>.Index {
        let index = slots.nextIndex
        slots.insert(value)
        return index
    }

    @Test func anIndexOutlivesItsValueWithoutFindingTheNext() {
        var slots = Slots<String>()
        let first = insert("first", into: &slots)
        #expect(slots[first] == "first")
        slots.update(first) { $0 += "!" }
        #expect(slots.remove(at: first) == "first!")
        let second = insert("second", into: &slots)
        #expect(slots[first] == nil)
        #expect(slots.remove(at: first) == nil)
        slots.update(first) { $0 = "wrong" }
        #expect(slots[second] == "second")
        #expect(slots.count == 1)
    }

    @Test func manyComeAndGo() {
        let limit = 3 * Slots<String>.keptPlaces
        var slots = Slots<String>()
        for round in 0..<3 {
            let indices = (0..<limit).map { insert("\(round).\($0)", into: &slots) }
            #expect(slots.count == limit)
            #expect(Array(slots.values).count == limit)
            for (number, index) in indices.enumerated().reversed() {
                #expect(slots.remove(at: index) == "\(round).\(number)")
            }
            #expect(slots.count == 0)
            #expect(indices.allSatisfy { !slots.contains($0) })
        }
    }
}
