@testable import MQClient
import MQProtocol
import Testing

@Suite struct RouteTableTests {
    private let route = TopicRoute(
        brokers: [TopicRoute.Broker(cluster: "C", name: "a", addresses: [0: "a:1"])], queues: [])
    private let age = Duration.seconds(30)

    private func at(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: seconds * 1000)
    }

    @Test("A route is fresh until its age is reached, and known after that")
    func ages() {
        var table = RouteTable()
        table.learn("T", route, now: at(100))
        #expect(table.fresh("T", now: at(129), maximumAge: age) == route)
        #expect(table.fresh("T", now: at(130), maximumAge: age) == nil)
        #expect(table.known("T") == route)
        #expect(table.stale(now: at(129), maximumAge: age) == [])
        #expect(table.stale(now: at(130), maximumAge: age) == ["T"])
    }

    @Test("Learning says whether anything changed")
    func changes() {
        var table = RouteTable()
        var other = route
        other.orderConfiguration = "a:1"
        let changes = [
            table.learn("T", route, now: at(0)), table.learn("T", route, now: at(1)),
            table.learn("T", other, now: at(2)),
        ]
        #expect(changes == [true, false, true])
    }

    @Test("A broker is found in any route, and forgotten with the last one")
    func brokers() {
        var table = RouteTable()
        #expect(table.broker(named: "a") == nil)
        table.learn("T", route, now: at(0))
        #expect(table.broker(named: "a")?.master == "a:1")
        table.forget("T")
        #expect(table.broker(named: "a") == nil)
    }
}
