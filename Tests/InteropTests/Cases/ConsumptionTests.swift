import MQClient
import Testing

extension InteropTests {
    @Suite struct Consumption {
        @Test("An orderly consumer gets each order's messages in the order they were sent")
        func orderly() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Orders")
                let consume = ["--topic", "Orders", "--group", "CG_orders", "--orderly", "--expect", "60"]
                let consumed = try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.ready()
                    let produce = [
                        "--topic", "Orders", "--group", "PG_orders", "--mode", "orderly", "--orders", "3", "--count",
                        "60",
                    ]
                    try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                    try await consumer.done()
                    return consumer.messages
                }
                let numbers = consumed.compactMap { $0.body?.split(separator: "-").last.flatMap { Int($0) } }
                #expect(numbers.count == 60)
                for order in 0..<3 {
                    #expect(numbers.filter { $0 % 3 == order } == Array(stride(from: order, to: 60, by: 3)))
                }
            }
        }

        @Test("Every broadcasting consumer gets every message")
        func broadcasting() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("News", queues: 1)
                @Sendable func arguments(_ instance: String) -> [String] {
                    ["--topic", "News", "--group", "CG_news", "--broadcasting", "--instance", instance]
                }
                try await Driver.with("consume.py", cluster: cluster, arguments: arguments("one")) { one in
                    try await Driver.with("consume.py", cluster: cluster, arguments: arguments("two")) { two in
                        try await warmUp([one, two], topic: "News", cluster: cluster)
                        for number in 0..<20 {
                            _ = try await cluster.client.send(Message(topic: "News", body: "news-\(number)"))
                        }
                        let all = Set((0..<20).map { "news-\($0)" })
                        for consumer in [one, two] {
                            try await consumer.wait(forBodies: all)
                            let bodies = consumer.messages.compactMap(\.body).filter { $0.hasPrefix("news") }
                            #expect(bodies.count == 20, "each exactly once")
                        }
                    }
                }
            }
        }

        @Test("Tags: the consumer gets the tags it asked for and no others")
        func tags() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Tagged")
                let produce = [
                    "--topic", "Tagged", "--group", "PG_tagged", "--count", "30", "--tags", "TagA,TagB,TagC",
                ]
                try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                let consume = [
                    "--topic", "Tagged", "--group", "CG_tagged", "--expression", "TagA || TagC", "--expect", "20",
                ]
                let consumed = try await Driver.with("consume.py", cluster: cluster, arguments: consume) { consumer in
                    try await consumer.done()
                    return consumer.messages
                }
                #expect(Set(consumed.compactMap(\.tags)) == ["TagA", "TagC"])
                #expect(consumed.count == 20)
            }
        }

        @Test("The pull consumer reads every queue, with and without tags")
        func pulling() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Pulled")
                let produce = ["--topic", "Pulled", "--group", "PG_pulled", "--count", "80", "--tags", "TagA,TagB"]
                try await Driver.with("produce.py", cluster: cluster, arguments: produce) { try await $0.done() }
                for (expression, expected) in [("*", 80), ("TagB", 40)] {
                    let pull = [
                        "--topic", "Pulled", "--group", "CG_pulled", "--expression", expression, "--expect",
                        String(expected),
                    ]
                    let pulled = try await Driver.with("pull.py", cluster: cluster, arguments: pull) { puller in
                        try await puller.done()
                        return puller.messages
                    }
                    #expect(pulled.count == expected)
                    #expect(Set(pulled.compactMap(\.body)).count == expected)
                }
            }
        }

        /// Sends until every consumer has seen something: before that it may still be finding out where to begin.
        private func warmUp(_ consumers: [Driver], topic: String, cluster: Cluster) async throws {
            try await cluster.eventually("every consumer has seen a message") {
                _ = try await cluster.client.send(Message(topic: topic, body: "warm-up"))
                return consumers.allSatisfy { !$0.messages.isEmpty }
            }
        }
    }
}
