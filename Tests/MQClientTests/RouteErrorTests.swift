import MQClient
import MQProtocol
import Synchronization
import Testing

@Suite struct RouteErrorTests {
    @Test("When no name server answers, the error names each that was tried")
    func unreachable() async throws {
        let dead = [try await Stubs.deadAddress(), try await Stubs.deadAddress()]
        try await Stubs.client(of: dead.joined(separator: ";")) { client in
            let error = await #expect(throws: MQClientError.self) { try await client.topicRoute("Orders") }
            #expect(error?.code == .nameServersUnreachable)
            for address in dead { #expect(error?.message.contains(address) == true) }
            #expect(error?.message.contains("NAMESRV_ADDR") == true)
        }
    }

    @Test("When one name server is down, another one is asked")
    func fallsOver() async throws {
        let dead = try await Stubs.deadAddress()
        try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: "127.0.0.1:1")) { server in
            try await Stubs.client(of: "\(dead);\(server.address)") { client in
                for _ in 0..<4 {
                    let route = try await client.topicRoute("Orders")
                    #expect(route.brokers.first?.name == "a")
                }
            }
        }
    }

    @Test("An unknown topic is told from a broken name server, with similar names and the command that creates it")
    func unknownTopic() async throws {
        let answer = Stubs.nameServer(topics: ["Orders", "Invoices"], broker: "127.0.0.1:1")
        try await StubServer.with(answer: answer) { server in
            try await Stubs.client(of: server.address) { client in
                let error = await #expect(throws: MQClientError.self) {
                    try await client.send(Message(topic: "Order", body: "x"))
                }
                #expect(error?.code == .topicNotFound)
                #expect(error?.message.contains("No route info of this topic") == true)
                #expect(error?.message.contains("Similar names: Orders.") == true)
                #expect(error?.message.contains("mqadmin updateTopic") == true)
                #expect(error?.message.contains("Invoices") == false)
            }
        }
    }

    @Test("A missing topic is asked for once a second, however many messages wait for it")
    func manyForAMissingTopic() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_795_000_000_000))
        try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: "127.0.0.1:1")) { server in
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
            configuration.time = .manual(clock)
            try await MQClient.with(configuration) { client in
                func sendMany() async {
                    await withDiscardingTaskGroup { tasks in
                        for number in 0..<50 {
                            tasks.addTask {
                                let message = Message(topic: "Order", body: "x")
                                let error = await #expect(throws: MQClientError.self) {
                                    try await client.send(message, orderedBy: "\(number)")
                                }
                                #expect(error?.message.contains("Similar names: Orders.") == true)
                            }
                        }
                    }
                }
                await #expect(throws: MQClientError.self) { try await client.send(Message(topic: "Order", body: "x")) }
                let count = server.requests.count
                await sendMany()
                #expect(server.requests.count == count)
                clock.advance(by: .seconds(1))
                await sendMany()
                #expect(server.requests.count == 2 * count)
            }
        }
    }

    @Test("A name server that was just restarted, and knows no topic yet, stops nobody")
    func forgetfulNameServer() async throws {
        let isForgetful = Mutex(false)
        try await StubServer.with(answer: Stubs.broker) { broker in
            let full = Stubs.nameServer(topics: ["Orders"], broker: broker.address)
            let empty = Stubs.nameServer(topics: [], broker: broker.address)
            try await StubServer.with(answer: { isForgetful.withLock { $0 } ? empty($0) : full($0) }) { server in
                var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
                configuration.routeRefreshInterval = .zero
                try await MQClient.with(configuration) { client in
                    _ = try await client.send(Message(topic: "Orders", body: "x"))
                    isForgetful.withLock { $0 = true }
                    _ = try await client.send(Message(topic: "Orders", body: "x"))
                    #expect(server.requests.count { $0.requestCode == .getRouteInfoByTopic } >= 2)
                    let error = await #expect(throws: MQClientError.self) {
                        try await client.send(Message(topic: "Others", body: "x"))
                    }
                    #expect(error?.code == .topicNotFound)
                }
            }
        }
    }

    @Test("A broker that is down is named by its address")
    func brokerDown() async throws {
        let dead = try await Stubs.deadAddress()
        try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: dead)) { server in
            try await Stubs.client(of: server.address) { client in
                let error = await #expect(throws: MQClientError.self) {
                    _ = try await client.send(Message(topic: "Orders", body: "x"))
                }
                #expect(error?.code == .brokerUnreachable)
                #expect(error?.message.contains(dead) == true)
                #expect(error?.isRetriable == true)
            }
        }
    }

    @Test("Without a name server the error says how to give one")
    func noNameServer() async throws {
        try await MQClient.with(MQClientConfiguration(nameServers: nil)) { client in
            let error = await #expect(throws: MQClientError.self) { try await client.topicNames() }
            #expect(error?.code == .noNameServer)
            #expect(error?.message.contains("NAMESRV_ADDR") == true)
        }
    }
}
