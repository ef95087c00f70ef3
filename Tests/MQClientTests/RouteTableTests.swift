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

    @Test("A broker is where the latest answer has it, about whatever topic")
    func movedBroker() {
        var table = RouteTable()
        table.learn("A", route, now: at(0))
        var moved = route
        moved.brokers[0].addresses = [0: "a:2"]
        table.learn("B", moved, now: at(1))
        #expect(table.broker(named: "a")?.master == "a:2")
        #expect(table.broker(withMaster: "a:1") == nil)
        #expect(table.routedBrokers.map(\.master) == ["a:2"])
    }

    @Test("Brokers that only the cluster's list names are known, but have no route")
    func listedBrokers() {
        var table = RouteTable()
        table.learn("T", route, now: at(0))
        let other = TopicRoute.Broker(cluster: "C", name: "b", addresses: [0: "b:1"])
        table.learn(ClusterTopology(brokerNamesByCluster: ["C": ["b"]], brokersByName: ["b": other]))
        #expect(table.routedBrokers.map(\.name) == ["a"])
        #expect(Set(table.allBrokers.map(\.name)) == ["a", "b"])
        table.learn(ClusterTopology(brokerNamesByCluster: [:], brokersByName: [:]))
        #expect(table.broker(named: "b") == nil)
    }

    @Test("An absence is believed for a second; then one asks again for all")
    func absence() {
        var table = RouteTable()
        let error = MQClientError(.topicNotFound, "gone")
        let second = Duration.seconds(1)
        #expect(table.absence(of: "T", now: at(1)) == nil)
        table.note(absence: error, of: "T", now: at(1))
        #expect(table.absence(of: "U", now: at(1)) == nil)
        let answers = [
            at(1), at(2).advanced(by: .milliseconds(-1)), at(2), at(2), at(3).advanced(by: .milliseconds(-1)), at(3),
            at(2).advanced(by: .zero - second),
        ].map { table.absence(of: "T", now: $0)?.message }
        #expect(answers == ["gone", "gone", nil, "gone", "gone", nil, nil])
        table.learn("T", route, now: at(3))
        #expect(table.absence(of: "T", now: at(3)) == nil)
        table.note(absence: error, of: "T", now: at(3))
        table.forget("T")
        #expect(table.absence(of: "T", now: at(3)) == nil)
    }

    @Test("Publish queues age with their route")
    func publishQueues() {
        var table = RouteTable()
        var writable = route
        writable.queues = [.init(brokerName: "a", readQueues: 1, writeQueues: 1, permission: [.read, .write])]
        table.learn("T", writable, now: at(0))
        #expect(table.freshPublishQueues("T", now: at(29), maximumAge: age)?.map(\.queueID) == [0])
        #expect(table.freshPublishQueues("T", now: at(30), maximumAge: age) == nil)
        table.learn("T", writable, now: at(30))
        #expect(table.freshPublishQueues("T", now: at(30), maximumAge: age)?.count == 1)
    }
}
