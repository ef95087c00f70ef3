import MQClient
import Testing

@Suite struct TopicRouteTests {
    private func broker(_ name: String, _ addresses: [Int64: String]) -> TopicRoute.Broker {
        TopicRoute.Broker(cluster: "C", name: name, addresses: addresses)
    }

    private func queues(
        _ name: String, read: Int32 = 2, write: Int32 = 2, _ permission: TopicPermission = [.read, .write]
    ) -> TopicRoute.Queues {
        TopicRoute.Queues(brokerName: name, readQueues: read, writeQueues: write, permission: permission)
    }

    @Test("Producers choose from writable brokers that have a master, in order of name")
    func publishing() {
        let route = TopicRoute(
            brokers: [
                broker("b", [0: "b:1"]), broker("a", [0: "a:1"]), broker("slave", [1: "s:1"]), broker("ro", [0: "r:1"]),
            ],
            queues: [queues("b", write: 1), queues("a"), queues("slave"), queues("ro", [.read])])
        let names = route.publishQueues(topic: "T").map { "\($0.brokerName)\($0.queueID)" }
        #expect(names == ["a0", "a1", "b0"])
    }

    @Test("Consumers read every readable broker, with or without a master")
    func subscribing() {
        let route = TopicRoute(
            brokers: [broker("a", [0: "a:1"]), broker("slave", [1: "s:1"])],
            queues: [queues("slave", read: 1), queues("a", read: 2, write: 0), queues("gone", [.write])])
        let names = route.subscribeQueues(topic: "T").map { "\($0.brokerName)\($0.queueID)" }
        #expect(names == ["a0", "a1", "slave0"])
    }

    @Test("An order configuration decides alone")
    func ordered() {
        let route = TopicRoute(
            brokers: [], queues: [queues("a", write: 8)], orderConfiguration: "b2:1;b1:2;nonsense;b3:x")
        let names = route.publishQueues(topic: "T").map { "\($0.brokerName)/\($0.queueID)" }
        #expect(names == ["b2/0", "b1/0", "b1/1"])
    }

    @Test("A hostile queue count neither traps nor fills memory", arguments: [Int32.min, -1, Int32.max])
    func hostileCounts(count: Int32) {
        let route = TopicRoute(brokers: [broker("a", [0: "a:1"])], queues: [queues("a", read: count, write: count)])
        #expect(route.publishQueues(topic: "T").count <= Int(UInt16.max))
        #expect(route.subscribeQueues(topic: "T").count <= Int(UInt16.max))
    }

    @Test func readableAddressPrefersTheMaster() {
        #expect(broker("a", [0: "m", 1: "s"]).readable == "m")
        #expect(broker("a", [3: "s3", 1: "s1"]).readable == "s1")
        #expect(broker("a", [:]).readable == nil)
    }
}
