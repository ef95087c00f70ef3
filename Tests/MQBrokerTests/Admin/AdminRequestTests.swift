import Foundation
import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Operators at a live broker")
struct AdminRequestTests {
    private func create(_ topic: String, queues: Int = 4, by client: FakeClient) async throws -> Frame {
        try await client.request(
            .updateAndCreateTopic,
            [
                ("topic", topic), ("defaultTopic", "TBW102"), ("readQueueNums", "\(queues)"),
                ("writeQueueNums", "\(queues)"), ("perm", "6"), ("topicFilterType", "SINGLE_TAG"),
                ("topicSysFlag", "0"),
                ("order", "false"),
            ])
    }

    @Test("Topics are created, shown and deleted; their consumers' offsets go with them")
    func topics() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            #expect(try await create("Orders", by: client).responseCode == .success)
            let all = try TopicConfigTable.decode(try await client.request(.getAllTopicConfig).body)
            #expect(all.topicConfigTable["Orders"]?.writeQueueNums == 4)
            let statistics = try await client.request(.getTopicStatsInfo, [("topic", "Orders")])
            #expect(try TopicStatsTable.decode(statistics.body).entries.count == 4)
            broker.service.broker.offsets.commit(group: "G", topic: "Orders", queueID: 0, offset: 5)
            #expect(try await client.request(.deleteTopicInBroker, [("topic", "Orders")]).responseCode == .success)
            let gone = try await client.request(.getTopicStatsInfo, [("topic", "Orders")])
            #expect(gone.responseCode == .topicNotExist)
            #expect(broker.service.broker.offsets.offset(group: "G", topic: "Orders", queueID: 0) == nil)
            await client.close()
        }
    }

    @Test(
        "Names that no topic may have",
        arguments: [
            ("", "The specified topic is blank."), ("../x", "The specified topic contains illegal characters"),
            (String(repeating: "t", count: 128), "The specified topic is longer than topic max length."),
            ("TBW102", "The topic[TBW102] is conflict with system topic."),
            ("DefaultCluster", "The topic[DefaultCluster] is conflict with system topic."),
            ("RMQ_SYS_TRACE_TOPIC", "The topic[RMQ_SYS_TRACE_TOPIC] is conflict with system topic."),
        ])
    func illegalNames(name: String, remark: String) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            let created = try await create(name, by: client)
            #expect(created.responseCode == .systemError)
            if !name.isEmpty { #expect(created.remark?.hasPrefix(remark) == true, "\(created.remark ?? "")") }
            await client.close()
        }
    }

    @Test("A queue count from the wire has a limit", arguments: [-1, 65_537])
    func queueCounts(count: Int) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            let answer = try await create("T", queues: count, by: client)
            #expect(answer.responseCode == .systemError)
            await client.close()
        }
    }

    @Test("Groups are created, shown and deleted")
    func groups() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            var group = SubscriptionGroupConfig(groupName: "G")
            group.retryMaxTimes = 2
            let created = try await client.request(.updateAndCreateSubscriptionGroup, body: group.encode())
            #expect(created.responseCode == .success)
            let all = try await client.request(.getAllSubscriptionGroupConfig)
            #expect(try SubscriptionGroupTable.decode(all.body).subscriptionGroupTable["G"]?.retryMaxTimes == 2)
            broker.service.broker.offsets.commit(group: "G", topic: "T", queueID: 0, offset: 5)
            let fields = [("groupName", "G"), ("removeOffset", "true")]
            #expect(try await client.request(.deleteSubscriptionGroup, fields).responseCode == .success)
            #expect(broker.service.broker.offsets.topics(of: "G").isEmpty)
            let hostile = SubscriptionGroupConfig(groupName: "../x")
            let refused = try await client.request(.updateAndCreateSubscriptionGroup, body: hostile.encode())
            #expect(refused.responseCode == .systemError)
            await client.close()
        }
    }

    @Test("Offsets: commit, query, copies, correction")
    func offsets() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            let key = [("consumerGroup", "G"), ("topic", "T"), ("queueId", "0")]
            let young = try await client.request(.queryConsumerOffset, key)
            #expect(young.fields.int64("offset") == 0)
            let commit = try await client.request(.updateConsumerOffset, key + [("commitOffset", "7")])
            #expect(commit.responseCode == .success)
            #expect(try await client.request(.queryConsumerOffset, key).fields.int64("offset") == 7)
            let all = try await client.request(.getAllConsumerOffset)
            #expect(String(buffer: all.body) == #"{"offsetTable":{"T@G":{0:7}}}"#)
            let clone = [("srcGroup", "G"), ("destGroup", "H"), ("offline", "true")]
            #expect(try await client.request(.cloneGroupOffset, clone).responseCode == .success)
            #expect(broker.service.broker.offsets.offset(group: "H", topic: "T", queueID: 0) == 7)
            broker.service.broker.offsets.commit(group: "H", topic: "T", queueID: 0, offset: 3)
            let correction = [("topic", "T"), ("compareGroup", "G"), ("filterGroups", "H")]
            let corrected = try await client.request(.queryCorrectionOffset, correction)
            #expect(String(buffer: corrected.body) == #"{"correctionOffsets":{0:7}}"#)
            #expect(broker.service.broker.offsets.offset(group: "H", topic: "T", queueID: 0) == 3)
            for (code, value) in [(RequestCode.getMaxOffset, 0), (.getMinOffset, 0)] {
                let answer = try await client.request(code, [("topic", "T"), ("queueId", "0")])
                #expect(answer.fields.int64("offset") == Int64(value))
            }
            let earliest = try await client.request(.getEarliestMessageStoreTime, [("topic", "T"), ("queueId", "0")])
            #expect(earliest.fields.int64("timestamp") == -1)
            await client.close()
        }
    }

    @Test("A reset needs a topic, stored offsets and someone online")
    func reset() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            let fields = [("topic", "T"), ("group", "G"), ("timestamp", "-1"), ("isForce", "true")]
            let unknown = try await client.request(.invokeBrokerToResetOffset, fields)
            #expect(unknown.remark?.contains("no topic in this broker. topic=T") == true)
            _ = try await create("T", queues: 1, by: client)
            let fresh = try await client.request(.invokeBrokerToResetOffset, fields)
            #expect(fresh.remark == "THe consumer group <G> not exist")
            broker.service.broker.offsets.commit(group: "G", topic: "T", queueID: 0, offset: 5)
            #expect(try await client.request(.invokeBrokerToResetOffset, fields).responseCode == .consumerNotOnline)
            _ = try await client.heartbeat(consumers: ["G": ["T"]])
            let done = try await client.request(.invokeBrokerToResetOffset, fields)
            #expect(try ResetOffsetBody.decode(done.body).entries.map(\.offset.rawValue) == [0])
            await client.waitFor(.resetConsumerClientOffset)
            await client.close()
        }
    }

    @Test("Configuration: shown, changed within limits, hostile payloads refused")
    func configuration() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            let shown = try await client.request(.getBrokerConfig)
            #expect(String(buffer: shown.body).contains("brokerName=broker-a\n"))
            #expect(shown.fields.string("version")?.contains("counter") == true)
            let version = broker.service.broker.topics.dataVersion
            let changed = try await client.request(
                .updateBrokerConfig, body: ByteBuffer(string: "brokerPermission=4\n"))
            #expect(changed.responseCode == .success)
            #expect(broker.service.broker.settings.configuration.permission == 4)
            #expect(broker.service.broker.topics.dataVersion != version)
            let attack = "filterServerNums=1\nrocketmqHome=-c $@|sh . echo touch /tmp/pwned;\n"
            let refused = try await client.request(.updateBrokerConfig, body: ByteBuffer(string: attack))
            #expect(refused.responseCode == .noPermission)
            await client.close()
        }
    }

    @Test("A stock export of the configuration finds every key that it copies")
    func exportedConfiguration() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            let shown = PropertiesFile(parsing: String(buffer: try await client.request(.getBrokerConfig).body))
            for key in [
                "brokerClusterName", "brokerId", "brokerName", "brokerRole", "fileReservedTime", "filterServerNums",
                "flushDiskType", "maxMessageSize", "messageDelayLevel", "msgTraceTopicName", "slaveReadEnable",
                "traceOn", "traceTopicEnable", "useTLS", "autoCreateTopicEnable", "autoCreateSubscriptionGroup",
            ] {
                #expect(shown[key] != nil, "\(key)")
            }
            await client.close()
        }
    }

    @Test("Run-time information has every key that tools read")
    func runtime() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            let table = try KVTable.decode(try await client.request(.getBrokerRuntimeInfo).body).table
            for key in Self.runtimeKeys { #expect(table[key] != nil, "\(key)") }
            #expect(table["brokerVersionDesc"] == "V4_9_8")
            #expect(table["putMessageTimesTotal"] == "1")
            await client.close()
        }
    }

    @Test("Run-time information is that of the store's disk")
    func runtimeOfTheDisk() async throws {
        try await LiveBroker.withDirectory { directory in
            let device = SimulatedDevice(seed: 1, capacity: 3 << 30)
            try await LiveBroker.with(in: directory, on: device) { broker in
                let client = FakeClient("admin", of: broker)
                let table = try KVTable.decode(try await client.request(.getBrokerRuntimeInfo).body).table
                #expect(table["commitLogDirCapacity"]?.hasPrefix("Total : 3.0 GiB, Free : ") == true)
                let ratio = "\(try device.space(at: directory.path).usedRatio)"
                #expect(table["commitLogDiskRatio"] == ratio)
                #expect(table["consumeQueueDiskRatio"] == ratio)
                await client.close()
            }
        }
    }

    private static let runtimeKeys = """
        brokerVersionDesc brokerVersion bootTimestamp runtime msgPutTotalYesterdayMorning msgPutTotalTodayMorning \
        msgPutTotalTodayNow msgGetTotalYesterdayMorning msgGetTotalTodayMorning msgGetTotalTodayNow putTps getTotalTps \
        getFoundTps getMissTps getTransferedTps putMessageTimesTotal putMessageFailedTimes putMessageSizeTotal \
        putMessageAverageSize putMessageEntireTimeMax getMessageEntireTimeMax dispatchMaxBuffer \
        putMessageDistributeTime putLatency99 putLatency999 sendThreadPoolQueueSize sendThreadPoolQueueCapacity \
        sendThreadPoolQueueHeadWaitTimeMills pullThreadPoolQueueSize pullThreadPoolQueueCapacity \
        pullThreadPoolQueueHeadWaitTimeMills queryThreadPoolQueueSize queryThreadPoolQueueCapacity \
        queryThreadPoolQueueHeadWaitTimeMills EndTransactionQueueSize EndTransactionThreadPoolQueueCapacity \
        pageCacheLockTimeMills dispatchBehindBytes commitLogMinOffset commitLogMaxOffset commitLogDiskRatio \
        consumeQueueDiskRatio earliestMessageTimeStamp startAcceptSendRequestTimeStamp \
        remainTransientStoreBufferNumbs remainHowManyDataToCommit remainHowManyDataToFlush
        """.split(separator: " ").map(String.init)

    @Test(
        "Access lists are refused with their own codes, and never by silence",
        arguments: [
            (RequestCode.updateAndCreateACLConfig, ResponseCode.updateAndCreateACLConfigFailed),
            (.deleteACLConfig, .deleteACLConfigFailed), (.getBrokerClusterACLInfo, .systemError),
            (.updateGlobalWhiteAddressesConfig, .updateGlobalWhiteAddressesConfigFailed),
        ])
    func accessLists(code: RequestCode, expected: ResponseCode) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("admin", of: broker)
            let answer = try await client.request(code, [("accessKey", "k")])
            #expect(answer.responseCode == expected)
            await client.close()
        }
    }

    @Test("Missing fields and bodies that are no JSON are answered, and the connection lives on")
    func malformed() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            let codes: [RequestCode] = [
                .heartbeat, .unregisterClient, .getConsumerListByGroup, .checkClientConfig, .lockBatchMQ,
                .unlockBatchMQ, .queryConsumerOffset, .updateConsumerOffset, .searchOffsetByTimestamp, .getMaxOffset,
                .getMinOffset, .getEarliestMessageStoreTime, .queryMessage, .viewMessageByID, .sendReplyMessage,
                .updateAndCreateTopic, .deleteTopicInBroker, .getTopicStatsInfo, .updateAndCreateSubscriptionGroup,
                .deleteSubscriptionGroup, .getConsumeStats, .queryTopicConsumeByWho, .queryConsumeTimeSpan,
                .getConsumerConnectionList, .getProducerConnectionList, .viewBrokerStatsData,
                .invokeBrokerToResetOffset, .invokeBrokerToGetConsumerStatus, .getConsumerRunningInfo,
                .consumeMessageDirectly, .queryCorrectionOffset, .cloneGroupOffset, .queryConsumeQueue,
            ]
            for code in codes {
                let answer = try await client.request(code, body: ByteBuffer(string: "{{{"))
                #expect(answer.responseCode == .systemError, "\(code)")
            }
            #expect(try await client.request(.getAllTopicConfig).responseCode == .success)
            await client.close()
        }
    }

    @Test(
        "Numbers at the ends of their range do no harm",
        arguments: ["-1", "2147483647", "9223372036854775807", "-9223372036854775808"])
    func extremeNumbers(number: String) async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("a", of: broker)
            _ = try await create("T", queues: 1, by: client)
            _ = try await client.request(
                .updateConsumerOffset,
                [
                    ("consumerGroup", "G"), ("topic", "T"), ("queueId", "0"), ("commitOffset", number),
                ])
            for code in [
                RequestCode.getConsumeStats, .queryConsumeTimeSpan, .queryCorrectionOffset, .invokeBrokerToResetOffset,
            ] {
                _ = try await client.request(
                    code,
                    [
                        ("consumerGroup", "G"), ("group", "G"), ("topic", "T"), ("compareGroup", "G"),
                        ("timestamp", number), ("isForce", "false"),
                    ])
            }
            for code in [RequestCode.searchOffsetByTimestamp, .viewMessageByID, .queryConsumeQueue, .queryMessage] {
                _ = try await client.request(
                    code,
                    [
                        ("topic", "T"), ("queueId", "0"), ("timestamp", number), ("offset", number), ("index", number),
                        ("count", number), ("key", "k"), ("maxNum", number), ("beginTimestamp", number),
                        ("endTimestamp", number),
                    ])
            }
            #expect(try await client.request(.getBrokerRuntimeInfo).responseCode == .success)
            await client.close()
        }
    }
}
