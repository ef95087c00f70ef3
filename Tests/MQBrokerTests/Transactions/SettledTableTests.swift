import Testing

@testable import MQBroker

@Suite struct SettledTableTests {
    typealias Table = SettledTable<Int, String, Int>

    @Test(arguments: [1, 2, 7, 100])
    func theLatestSettledAreRemembered(_ limit: Int) {
        var table = Table(limit: limit)
        for number in 0..<1000 {
            table.settle(number, number)
            let kept = (0...number).filter { table[$0] != nil }
            #expect(kept == (0...number).suffix(limit))
        }
    }

    @Test func whatIsOpenStaysHoweverMuchIsSettled() {
        var table = Table(limit: 3)
        table.settle(7, 1)
        let replaced = table.open(7, "again")
        guard case .settled(1)? = replaced else { return #expect(Bool(false), "\(String(describing: replaced))") }
        for number in 100..<200 { table.settle(number, number) }
        guard case .open("again")? = table[7] else { return #expect(Bool(false), "\(String(describing: table[7]))") }
    }

    @Test func whatIsSettledTwiceGoesByTheSecondTime() {
        var table = Table(limit: 3)
        for number in [1, 2, 1, 3] { table.settle(number, number * 10) }
        guard case .settled(10)? = table[1] else { return #expect(Bool(false), "forgotten too early") }
        table.settle(4, 40)
        table.settle(5, 50)
        #expect(table[1] == nil)
        #expect(table[3] != nil)
    }

    @Test func whatIsRemovedIsUnknown() {
        var table = Table(limit: 3)
        table.settle(1, 10)
        table.open(2, "open")
        table.remove(1)
        table.remove(2)
        #expect(table[1] == nil && table[2] == nil)
        for number in 10..<20 { table.settle(number, 0) }
        #expect(table[19] != nil)
    }
}
