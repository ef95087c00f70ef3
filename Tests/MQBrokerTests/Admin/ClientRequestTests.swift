import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Clients of a live broker")
struct ClientRequestTests {
    @Test("A heartbeat creates the group and its retry topic, and is answered with what the broker can do")
    func heartbeat() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            let answer = try await client.heartbeat(producers: ["P"], consumers: ["G": ["T"]])
            #expect(answer.responseCode == .success)
            #expect(answer.fields.string("ESCROW") == "1")
            let topic = broker.service.broker.topics.find("%RETRY%G")
            #expect(topic?.config.perm == 6)
            #expect(topic?.config.readQueueNums == 1)
            #expect(broker.service.broker.groups.find("G") != nil)
            let list = try await client.request(.getConsumerListByGroup, [("consumerGroup", "G")])
            #expect(String(buffer: list.body) == #"{"consumerIdList":["a"]}"#)
            await client.close()
        }
    }

    @Test("A group whose name would leave the store's directory gets no topic")
    func hostileGroup() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            _ = try await client.heartbeat(consumers: ["../../x": ["T"]])
            #expect(!broker.service.broker.topics.all().contains { $0.name.contains("..") })
            await client.close()
        }
    }

    @Test("Everyone in a group hears of a newcomer before its heartbeat is answered, and of a departure")
    func notifications() async throws {
        try await LiveBroker.with { broker in
            let first = FakeClient("a", of: broker)
            let second = FakeClient("b", of: broker)
            _ = try await first.heartbeat(consumers: ["G": ["T"]])
            #expect(first.requests.map(\.requestCode) == [.notifyConsumerIDsChanged])
            _ = try await first.heartbeat(consumers: ["G": ["T"]])
            #expect(first.requests.count == 1)
            _ = try await second.heartbeat(consumers: ["G": ["T"]])
            await first.waitFor(.notifyConsumerIDsChanged, count: 2)
            #expect(first.requests.last?.fields.string("consumerGroup") == "G")
            _ = try await second.request(.unregisterClient, [("clientID", "b"), ("consumerGroup", "G")])
            await first.waitFor(.notifyConsumerIDsChanged, count: 3)
            await first.close()
            await second.close()
        }
    }

    @Test("A newcomer's group is told to rebalance when the name servers know its retry topic, not before")
    func notificationAfterAnnouncement() async throws {
        try await LiveBroker.with { broker in
            let topics = broker.service.broker.topics
            let client = FakeClient("a", of: broker)
            _ = try await client.heartbeat()
            let asked = AsyncStream.makeStream(of: EventLoopPromise<Void>.self)
            topics.observe(
                TopicTable.Observer(
                    changed: {},
                    announced: { eventLoop in
                        let promise = eventLoop.makePromise(of: Void.self)
                        asked.continuation.yield(promise)
                        return promise.futureResult
                    }))
            async let answer = client.heartbeat(consumers: ["G": ["T"]])
            var announcements = asked.stream.makeAsyncIterator()
            let announcement = try #require(await announcements.next())
            let list = try await client.request(.getConsumerListByGroup, [("consumerGroup", "G")])
            #expect(list.responseCode == .success)
            #expect(client.requests.isEmpty)
            announcement.succeed()
            #expect(try await answer.responseCode == .success)
            #expect(client.requests.map(\.requestCode) == [.notifyConsumerIDsChanged])
            topics.observe(nil)
            await client.close()
        }
    }

    @Test("The answer to a heartbeat that makes a retry topic keeps a distance from the news of its group")
    func distanceOfNews() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            _ = try await client.heartbeat()
            let began = ContinuousClock.now
            async let answer = client.heartbeat(consumers: ["G": ["T"]])
            await client.waitFor(.notifyConsumerIDsChanged)
            #expect(try await answer.responseCode == .success)
            #expect(ContinuousClock.now - began >= .nanoseconds(ClientRequests.newTopicPause.nanoseconds))
            await client.close()
        }
    }

    @Test("The locks of a client whose connection is lost are free at once")
    func locksOfALostClient() async throws {
        try await LiveBroker.with { broker in
            let first = FakeClient("a", of: broker)
            let second = FakeClient("b", of: broker)
            _ = try await first.heartbeat(consumers: ["G": ["T"]])
            _ = try await second.heartbeat(consumers: ["G": ["T"]])
            let queue = MessageQueueKey(topic: "T", brokerName: "broker-a", queueID: 0)
            func lock(_ client: FakeClient) async throws -> [MessageQueueKey] {
                let body = LockBatchBody(clientID: client.clientID, consumerGroup: "G", queues: [queue])
                let answer = try await client.request(.lockBatchMQ, body: body.encode())
                return try LockBatchAnswer.decode(answer.body).queues
            }
            #expect(try await lock(first) == [queue])
            #expect(try await lock(second) == [])
            let heard = second.requests.count
            await first.close()
            await second.waitFor(.notifyConsumerIDsChanged, count: heard + 1)
            #expect(try await lock(second) == [queue])
            await second.close()
        }
    }

    @Test("Who is connected, as operators see it")
    func connections() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            _ = try await client.heartbeat(producers: ["P"], consumers: ["G": ["T"]])
            let consumers = try await client.request(.getConsumerConnectionList, [("consumerGroup", "G")])
            let connection = try ConsumerConnection.decode(consumers.body)
            #expect(connection.connections.map(\.clientID) == ["a"])
            #expect(connection.subscriptions.map(\.topic) == ["T"])
            let offline = try await client.request(.getConsumerConnectionList, [("consumerGroup", "H")])
            #expect(offline.responseCode == .consumerNotOnline)
            let producers = try await client.request(.getProducerConnectionList, [("producerGroup", "P")])
            #expect(try ProducerConnection.decode(producers.body).connections.count == 1)
            let all = try await client.request(.getAllProducerInfo)
            #expect(try ProducerTableInfo.decode(all.body).groups["P"]?.count == 1)
            let groups = try await client.request(.queryTopicConsumeByWho, [("topic", "T")])
            #expect(try GroupList.decode(groups.body).groupList == ["G"])
            await client.close()
        }
    }

    @Test("Requests to a client are passed on, and its answer is passed back")
    func forwarding() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker, answer: ByteBuffer(string: #"{"properties":{}}"#))
            _ = try await client.heartbeat(consumers: ["G": ["T"]])
            let fields = [("consumerGroup", "G"), ("clientId", "a"), ("jstackEnable", "false")]
            let answer = try await client.request(.getConsumerRunningInfo, fields)
            #expect(answer.responseCode == .success)
            #expect(String(buffer: answer.body) == #"{"properties":{}}"#)
            let offline = try await client.request(
                .getConsumerRunningInfo, [("consumerGroup", "G"), ("clientId", "x"), ("jstackEnable", "false")]
            )
            #expect(offline.responseCode == .systemError)
            #expect(offline.remark == "The Consumer <G> <x> not online")
            await client.close()
        }
    }

    @Test("A reply reaches the client that asked")
    func replies() async throws {
        try await LiveBroker.with { broker in
            let requester = FakeClient("asker", of: broker)
            let replier = FakeClient("replier", of: broker)
            _ = try await requester.heartbeat(producers: ["P"])
            func reply(to client: String) async throws -> Frame {
                var properties = MessageProperties()
                properties["REPLY_TO_CLIENT"] = client
                properties["CORRELATION_ID"] = "42"
                return try await replier.request(
                    .sendReplyMessageV2,
                    [
                        ("a", "R"), ("b", "DefaultCluster_REPLY_TOPIC"), ("c", "TBW102"), ("d", "4"), ("e", "0"),
                        ("f", "0"),
                        ("g", "1"), ("h", "0"), ("i", String(buffer: properties.encode())), ("j", "0"), ("k", "false"),
                    ], body: ByteBuffer(string: "answer"))
            }
            let answer = try await reply(to: "asker")
            #expect(answer.responseCode == .success, "\(answer.remark ?? "")")
            let pushed = try #require(requester.requests.last)
            #expect(pushed.requestCode == .pushReplyMessageToClient)
            #expect(String(buffer: pushed.body) == "answer")
            #expect(pushed.fields.string("properties")?.contains("42") == true)
            let lost = try await reply(to: "nobody")
            #expect(lost.responseCode == .systemError)
            #expect(lost.remark == "push reply message fail, channel of <nobody> not found.")
            await requester.close()
            await replier.close()
        }
    }

    @Test("A group that may not consume by broadcast is refused, and consumes once it may", arguments: [false, true])
    func broadcast(isAllowed: Bool) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("c", of: broker)
            try await client.send("m", to: "T")
            broker.service.broker.store.dispatchPending()
            var group = SubscriptionGroupConfig(groupName: "G")
            group.consumeBroadcastEnable = isAllowed
            _ = try await client.request(.updateAndCreateSubscriptionGroup, body: group.encode())
            let pull = [
                ("consumerGroup", "G"), ("topic", "T"), ("queueId", "0"), ("queueOffset", "0"), ("maxMsgNums", "32"),
                ("sysFlag", "0"), ("commitOffset", "0"), ("suspendTimeoutMillis", "0"), ("subVersion", "0"),
            ]
            _ = try await client.heartbeat(consumers: ["G": ["T"]], model: "BROADCASTING")
            let answer = try await client.request(.pullMessage, pull)
            #expect(answer.responseCode == (isAllowed ? .success : .noPermission))
            if !isAllowed { #expect(answer.remark == "the consumer group[G] can not consume by broadcast way") }
            _ = try await client.heartbeat(consumers: ["G": ["T"]])
            #expect(try await client.request(.pullMessage, pull).responseCode == .success)
            await client.close()
        }
    }

    @Test("A batch may be as large as one message, not more")
    func batchLimit() async throws {
        try await LiveBroker.with({ $0.storage.maximumBodyBytes = 1000 }) { broker in
            let client = FakeClient("c", of: broker)
            var batch = ByteBuffer()
            let item = BatchItem(body: ByteBuffer(repeating: 0x61, count: 200), properties: ByteBuffer())
            for _ in 0..<4 { try item.write(to: &batch) }
            #expect(try await client.sendBatch(batch, to: "T").responseCode == .success)
            try item.write(to: &batch)
            let refused = try await client.sendBatch(batch, to: "T")
            #expect(refused.responseCode == .messageIllegal)
            #expect(refused.remark?.contains("maxMessageSize=1000") == true)
            await client.close()
        }
    }

    @Test("The fast port serves everything but pulls")
    func fastPort() async throws {
        try await LiveBroker.with { broker in
            let fast = broker.service.fastAddress
            let client = FakeClient("c", of: broker, at: "\(fast)")
            let sent = try await client.send("m", to: "T")
            #expect(sent.responseCode == .success)
            let pulled = try await client.pull("T")
            #expect(pulled.0 == .requestCodeNotSupported)
            await client.close()
        }
    }

    @Test("Tags are the only filters", arguments: [("TAG", ResponseCode.success), ("SQL92", .systemError)])
    func filters(type: String, code: ResponseCode) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            let body = CheckClientConfigBody(
                clientID: "a", group: "G", subscription: SubscriptionData(topic: "T", expressionType: type)
            )
            let answer = try await client.request(.checkClientConfig, body: body.encode())
            #expect(answer.responseCode == code)
            if code != .success {
                #expect(answer.remark == "The broker does not support consumer to filter message by SQL92")
            }
            await client.close()
        }
    }
}
