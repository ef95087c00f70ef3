import NIOCore
import Testing

@testable import MQRemoting

@Suite struct RequestTableTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test func aResponseFindsItsRequestOnce() {
        var table = RequestTable<String>()
        #expect(table.insert("a", opaque: 1, deadline: at(3)) == nil)
        #expect(table.insert("b", opaque: 2, deadline: at(3)) == nil)
        #expect(table.remove(opaque: 2) == "b")
        #expect(table.remove(opaque: 2) == nil)
        #expect(table.remove(opaque: 7) == nil)
        #expect(table.count == 1)
    }

    @Test func aReusedOpaqueHandsBackTheEarlierWaiter() {
        var table = RequestTable<String>()
        #expect(table.insert("a", opaque: -1, deadline: at(3)) == nil)
        #expect(table.insert("b", opaque: -1, deadline: at(4)) == "a")
        #expect(table.remove(opaque: -1) == "b")
    }

    @Test func waitersExpireInTheOrderOfTheirDeadlines() {
        var table = RequestTable<String>()
        _ = table.insert("late", opaque: 1, deadline: at(9))
        _ = table.insert("second", opaque: 2, deadline: at(5))
        _ = table.insert("first", opaque: 3, deadline: at(3))
        #expect(table.nextDeadline == at(3))
        #expect(table.expire(now: at(2)) == [])
        #expect(table.expire(now: at(5)) == ["first", "second"])
        #expect(table.nextDeadline == at(9))
        #expect(table.remove(opaque: 2) == nil)
        #expect(table.expire(now: at(9)) == ["late"])
        #expect(table.isEmpty)
        #expect(table.nextDeadline == nil)
    }

    @Test func anAnsweredRequestDoesNotExpire() {
        var table = RequestTable<String>()
        _ = table.insert("a", opaque: 1, deadline: at(3))
        #expect(table.remove(opaque: 1) == "a")
        #expect(table.expire(now: at(10)) == [])
        #expect(table.nextDeadline == nil)
    }

    @Test func closingEndsEveryWaitOnce() {
        var table = RequestTable<String>()
        _ = table.insert("b", opaque: 2, deadline: at(3))
        _ = table.insert("a", opaque: 1, deadline: at(4))
        #expect(table.removeAll() == ["a", "b"])
        #expect(table.removeAll() == [])
        #expect(table.expire(now: at(9)) == [])
    }
}
