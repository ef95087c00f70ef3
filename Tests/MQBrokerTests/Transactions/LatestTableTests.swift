import Testing

@testable import MQBroker

@Suite struct LatestTableTests {
    @Test(arguments: [1, 2, 7, 100])
    func neverMoreThanTheLimitAndAlwaysTheLatestHalf(_ limit: Int) {
        var table = LatestTable<Int, String>(limit: limit)
        for number in 0..<1000 {
            table.add("\(number)", for: number)
            let kept = (0...number).filter { table[$0] != nil }
            #expect(kept.count <= max(2, limit))
            #expect(kept.suffix(max(1, limit / 2)) == (0...number).suffix(max(1, limit / 2)))
        }
    }

    @Test func aLaterValueReplacesTheEarlierOne() {
        var table = LatestTable<String, Int>(limit: 10)
        table.add(1, for: "a")
        table.add(2, for: "a")
        #expect(table["a"] == 2)
        #expect(table["b"] == nil)
    }
}
