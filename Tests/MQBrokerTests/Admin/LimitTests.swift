import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Limits of what requests may bring")
struct LimitTests {
    private func update(_ client: FakeClient, group: String, topic: String) async throws -> ResponseCode {
        try await client.request(
            .updateConsumerOffset,
            [("consumerGroup", group), ("topic", topic), ("queueId", "0"), ("commitOffset", "7")]
        ).responseCode
    }

    @Test("Clients do not move the broker's own groups")
    func systemGroups() async throws {
        try await LiveBroker.with { (broker) async throws in
            let client = FakeClient("c", of: broker)
            let offsets = broker.service.broker.offsets
            let group = GroupName.transactionCheck
            #expect(try await update(client, group: group, topic: SystemTopic.half) == .success)
            #expect(offsets.offset(group: group, topic: SystemTopic.half, queueID: 0) == nil)
            #expect(try await update(client, group: "G", topic: SystemTopic.half) == .success)
            let clone = [("srcGroup", "G"), ("destGroup", group), ("topic", SystemTopic.half)]
            _ = try await client.request(.cloneGroupOffset, clone)
            #expect(offsets.offset(group: group, topic: SystemTopic.half, queueID: 0) == nil)
            await client.close()
        }
    }

    @Test(
        "Offsets are kept for names that a group and a topic may have",
        arguments: [("G", "a/b"), ("a b", "T"), ("", "T")])
    func offsetNames(group: String, topic: String) async throws {
        try await LiveBroker.with { (broker) async throws in
            let client = FakeClient("c", of: broker)
            #expect(try await update(client, group: group, topic: topic) == .systemError)
            #expect(try await update(client, group: String(repeating: "g", count: 256), topic: "T") == .systemError)
            #expect(try await update(client, group: "G", topic: "T") == .success)
            await client.close()
        }
    }

    @Test("A group has as many retry queues as a topic may have", arguments: [-1, 65_537, Int32.max])
    func retryQueues(count: Int32) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("c", of: broker)
            var group = SubscriptionGroupConfig(groupName: "G")
            group.retryQueueNums = count
            let answer = try await client.request(.updateAndCreateSubscriptionGroup, body: group.encode())
            #expect(answer.responseCode == .systemError)
            #expect(broker.service.broker.groups.find("G") == nil)
            #expect((0...65_536).contains(broker.service.broker.topics.ensure("X", queues: count).config.readQueueNums))
            await client.close()
        }
        let support = TableSupport()
        try support.put(
            #"{"dataVersion":{},"subscriptionGroupTable":{"G":{"groupName":"G","retryQueueNums":\#(count)}}}"#,
            in: "subscriptionGroup.json")
        let groups = try support.groups(BrokerSettings(BrokerConfiguration()))
        #expect((0...65_536).contains(groups.find("G")?.retryQueueNums ?? -1))
    }

    @Test("A body beyond any use is not decoded on the event loop")
    func longBodies() async throws {
        try await LiveBroker.with { (broker) async throws in
            let client = FakeClient("c", of: broker)
            let groups = (0..<20_000).map { "group-with-a-name-of-more-than-fifty-characters-number-\($0)" }
            #expect(try await client.heartbeat(producers: groups).responseCode == .systemError)
            #expect(try await client.heartbeat(producers: Array(groups.prefix(100))).responseCode == .success)
            await client.close()
        }
    }

    @Test("A subscription that comes with a pull has a limit")
    func longSubscription() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("c", of: broker)
            try await client.send("m", to: "T")
            func pull(_ expression: String) async throws -> ResponseCode {
                try await client.request(
                    .pullMessage,
                    [
                        ("consumerGroup", "G"), ("topic", "T"), ("queueId", "0"), ("queueOffset", "0"),
                        ("maxMsgNums", "32"), ("sysFlag", "4"), ("commitOffset", "0"), ("suspendTimeoutMillis", "0"),
                        ("subscription", expression), ("subVersion", "0"), ("expressionType", "TAG"),
                    ]
                ).responseCode
            }
            #expect(try await pull(String(repeating: "tag||", count: 20_000)) == .subscriptionParseFailed)
            #expect(try await pull("*") == .success)
            await client.close()
        }
    }

    @Test(
        "A reply goes to no topic that is closed to clients", arguments: [SystemTopic.timerWheel, SystemTopic.schedule])
    func closedReplies(topic: String) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("c", of: broker)
            let properties = "REPLY_TO_CLIENT\u{1}c\u{2}TIMER_OUT_MS\u{1}1"
            let answer = try await client.request(
                .sendReplyMessageV2,
                [
                    ("a", "R"), ("b", topic), ("c", "TBW102"), ("d", "4"), ("e", "0"), ("f", "0"), ("g", "1"),
                    ("h", "0"), ("i", properties), ("j", "0"), ("k", "false"),
                ], body: ByteBuffer(string: "forged"))
            #expect(answer.responseCode == .noPermission)
            await client.close()
        }
    }
}
