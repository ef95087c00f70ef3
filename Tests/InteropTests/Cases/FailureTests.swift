import MQClient
import Testing

extension InteropTests {
    @Suite struct Failures {
        @Test("When one of two consumers is killed, the other takes over its queues")
        func rebalance() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Shared", queues: 8)
                @Sendable func arguments(_ instance: String) -> [String] {
                    ["--topic", "Shared", "--group", "CG_shared", "--instance", instance]
                }
                try await Driver.with("consume.py", cluster: cluster, arguments: arguments("one")) { survivor in
                    try await Driver.with("consume.py", cluster: cluster, arguments: arguments("two")) { victim in
                        try await sendUntilBothConsume(survivor, victim, cluster: cluster)
                        try await victim.process.kill()
                    }
                    let all = Set((0..<80).map { "after-\($0)" })
                    for body in all.sorted() {
                        _ = try await cluster.client.send(Message(topic: "Shared", body: body))
                    }
                    try await survivor.wait(forBodies: all)
                    let queues = Set(survivor.messages.filter { $0.body?.hasPrefix("after") == true }.map(\.queue))
                    #expect(queues.count == 8)
                }
            }
        }

        @Test("Every acknowledged message is consumed although the broker is killed twice under load")
        func brokerRestart() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Survivors")
                let consume = ["--topic", "Survivors", "--group", "CG_survivors"]
                try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.ready()
                    let produce = [
                        "--topic", "Survivors", "--group", "PG_survivors", "--mode", "persistent", "--threads", "4",
                        "--count", "4000", "--padding", "100",
                    ]
                    let acknowledged = try await Driver.with("produce.py", cluster: cluster, arguments: produce) {
                        producer in
                        for count in [800, 2000] {
                            try await producer.wait(for: count, of: "acked")
                            try await cluster.broker.killAndRestart()
                        }
                        try await producer.done()
                        return producer.acknowledged
                    }
                    #expect(acknowledged.count == 4000)
                    try await consumer.wait(forBodies: acknowledged)
                    let stored = try await cluster.everything(in: "Survivors")
                    #expect(acknowledged.isSubset(of: Set(stored.map(\.text))))
                    let places = Set(stored.map { "\($0.queueID)/\($0.queueOffset)" })
                    #expect(places.count == stored.count, "one message per queue offset")
                }
            }
        }

        private func sendUntilBothConsume(_ one: Driver, _ two: Driver, cluster: Cluster) async throws {
            try await cluster.eventually("both consumers have a share of the queues") {
                for number in 0..<8 {
                    _ = try await cluster.client.send(Message(topic: "Shared", body: "before-\(number)"))
                }
                return !one.messages.isEmpty && !two.messages.isEmpty
            }
        }
    }
}
