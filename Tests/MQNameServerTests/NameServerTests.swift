import Foundation
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import MQNameServer

/// A whole name server over loopback sockets.
@Suite struct NameServerTests {
    private static func text(_ frame: Frame) -> String { String(buffer: frame.body) }

    // MARK: Captured traffic of a Java broker

    private static let registration = (
        header: """
        {"code":103,"extFields":{"brokerId":"0","bodyCrc32":"1329049394","clusterName":"FactsCluster",\
        "brokerAddr":"127.0.0.2:20911","haServerAddr":"127.0.0.1:20912","compressed":"false",\
        "brokerName":"broker-a"},"flag":0,"language":"JAVA","opaque":0,"serializeTypeCurrentRPC":"JSON",\
        "version":409}
        """,
        body: """
        {"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":0,\
        "timestamp":1795225524455},"topicConfigTable":{"SCHEDULE_TOPIC_XXXX":{"order":false,"perm":6,\
        "readQueueNums":18,"topicFilterType":"SINGLE_TAG","topicName":"SCHEDULE_TOPIC_XXXX","topicSysFlag":0,\
        "writeQueueNums":18},"SELF_TEST_TOPIC":{"order":false,"perm":6,"readQueueNums":1,"topicFilterType":\
        "SINGLE_TAG","topicName":"SELF_TEST_TOPIC","topicSysFlag":0,"writeQueueNums":1},\
        "FactsCluster_REPLY_TOPIC":{"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG",\
        "topicName":"FactsCluster_REPLY_TOPIC","topicSysFlag":0,"writeQueueNums":1},"broker-a":{"order":false,\
        "perm":7,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":"broker-a","topicSysFlag":0,\
        "writeQueueNums":1},"FactsCluster":{"order":false,"perm":7,"readQueueNums":16,"topicFilterType":\
        "SINGLE_TAG","topicName":"FactsCluster","topicSysFlag":0,"writeQueueNums":16},"RMQ_SYS_TRACE_TOPIC":{\
        "order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":\
        "RMQ_SYS_TRACE_TOPIC","topicSysFlag":0,"writeQueueNums":1},"TBW102":{"order":false,"perm":7,\
        "readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"TBW102","topicSysFlag":0,\
        "writeQueueNums":8},"BenchmarkTest":{"order":false,"perm":6,"readQueueNums":1024,"topicFilterType":\
        "SINGLE_TAG","topicName":"BenchmarkTest","topicSysFlag":0,"writeQueueNums":1024},\
        "OFFSET_MOVED_EVENT":{"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG",\
        "topicName":"OFFSET_MOVED_EVENT","topicSysFlag":0,"writeQueueNums":1}}}}
        """
    )

    private static func routeRequest(version: Int, opaque: Int = 1) -> String {
        """
        {"code":105,"extFields":{"topic":"TBW102"},"flag":0,"language":"JAVA","opaque":\(opaque),\
        "serializeTypeCurrentRPC":"JSON","version":\(version)}
        """
    }

    @Test func servesTheCapturedFramesOfAJavaBroker() async throws {
        try await RunningNameServer.with { server in
            let broker = try await RawClient(address: server.address)
            try await broker.send(header: Self.registration.header, body: Self.registration.body)
            let registered = try #require(try await broker.next())
            #expect(registered.code == 0)
            #expect(registered.opaque == 0)
            #expect(registered.isResponse)
            #expect(registered.body.readableBytes == 0)

            let client = try await RawClient(address: server.address)
            try await client.send(header: Self.routeRequest(version: 409))
            let route = try #require(try await client.next())
            #expect(route.code == 0)
            let expected = """
                {"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.2:20911"},"brokerName":"broker-a",\
                "cluster":"FactsCluster"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":7,\
                "readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}
                """
            #expect(Self.text(route) == expected)

            try await client.send(header: Self.routeRequest(version: 393, opaque: 2))
            let lenient = try #require(try await client.next())
            #expect(Self.text(lenient).contains("\"brokerAddrs\":{0:\"127.0.0.2:20911\"}"))
            await client.close()
            await broker.close()
        }
    }

    @Test func aDamagedRegistrationIsRefused() async throws {
        try await RunningNameServer.with { server in
            let broker = try await RawClient(address: server.address)
            let damaged = Self.registration.body.replacingOccurrences(of: "TBW102", with: "TBW103")
            try await broker.send(header: Self.registration.header, body: damaged)
            let answer = try #require(try await broker.next())
            #expect(answer.code == 1)
            #expect(answer.remark == "crc32 not match")
            #expect(try await server.ask(.getAllTopicListFromNameServer).code == 0)
            await broker.close()
        }
    }

    /// Body of the reference: DataVersion 3, one topic T1 with 4 queues.
    @Test(arguments: [165_441_579, 0])
    func readsACompressedRegistration(crc: Int) async throws {
        let bytes: [UInt8] = [
            0x78, 0xda, 0x63, 0x60, 0x60, 0x50, 0xaf, 0x56, 0x4a, 0xce, 0x2f, 0xcd, 0x2b, 0x49, 0x2d, 0x52, 0xb2, 0x32,
            0xd6, 0x51, 0x2a, 0xc9, 0xcc, 0x4d, 0x2d, 0x2e, 0x49, 0xcc, 0x2d, 0x50, 0xb2, 0x32, 0x34, 0x37, 0x40, 0x80,
            0x5a, 0x06, 0x06, 0x06, 0x46, 0x20, 0x16, 0x0e, 0x31, 0x54, 0x30, 0x01, 0x42, 0x33, 0x85, 0x60, 0x4f, 0x3f,
            0x77,
            0x1f, 0xd7, 0xf8, 0x10, 0x47, 0x77, 0xa0, 0x30, 0x53, 0x74, 0x2c, 0x00, 0xd4, 0x15, 0x11, 0x35,
        ]
        try await RunningNameServer.with { server in
            let fields = [
                ("brokerName", "b"), ("brokerAddr", "x:1"), ("clusterName", "C"), ("haServerAddr", "x:2"),
                ("brokerId", "0"), ("compressed", "true"), ("bodyCrc32", "\(crc)"),
            ]
            let answer = try await server.client.request(
                to: server.address, .registerBroker, body: ByteBuffer(bytes: bytes), extra: fields)
            #expect(answer.code == 0)
            let route = try await server.ask(.getRouteInfoByTopic, [("topic", "T1")])
            #expect(Self.text(route).contains("\"readQueueNums\":4"))
        }
    }

    @Test func readsTheBodyOfBrokersBefore3_0_11() async throws {
        try await RunningNameServer.with { server in
            let broker = try await RawClient(address: server.address)
            let header = """
                {"code":103,"extFields":{"brokerId":"0","clusterName":"C","brokerAddr":"x:1","haServerAddr":"x:2",\
                "brokerName":"old"},"flag":0,"language":"JAVA","opaque":5,"version":36}
                """
            let body = """
                {"dataVersion":{"counter":1,"timestamp":1},"topicConfigTable":{"Old":{"perm":6,"readQueueNums":2,\
                "topicName":"Old","writeQueueNums":2}}}
                """
            try await broker.send(header: header, body: body)
            #expect(try await broker.next()?.code == 0)
            #expect(try await server.ask(.getRouteInfoByTopic, [("topic", "Old")]).code == 0)
            await broker.close()
        }
    }

    // MARK: Life and death of brokers

    @Test func aBrokerDisappearsWithItsConnection() async throws {
        try await RunningNameServer.with { server in
            let broker = try await RawClient(address: server.address)
            try await broker.send(header: Self.registration.header, body: Self.registration.body)
            #expect(try await broker.next()?.code == 0)
            #expect(try await server.ask(.getRouteInfoByTopic, [("topic", "TBW102")]).code == 0)
            await broker.close()
            // The server notices in its own time: ask until it did.
            var answer = try await server.ask(.getRouteInfoByTopic, [("topic", "TBW102")])
            while answer.code == 0 {
                answer = try await server.ask(.getRouteInfoByTopic, [("topic", "TBW102")])
            }
            #expect(answer.code == 17)
            #expect(answer.remark?.hasPrefix("No topic route info in name server for the topic: TBW102") == true)
        }
    }

    @Test func aSilentBrokerIsRemovedAndItsConnectionClosed() async throws {
        try await RunningNameServer.with { server in
            let broker = try await RawClient(address: server.address)
            try await broker.send(header: Self.registration.header, body: Self.registration.body)
            #expect(try await broker.next()?.code == 0)
            await server.clock.waitForSleepers(count: 1)
            server.clock.advance(by: .seconds(5))
            await server.clock.waitForSleepers(count: 1)
            #expect(try await server.ask(.getRouteInfoByTopic, [("topic", "TBW102")]).code == 0)
            server.clock.advance(by: .seconds(121))
            #expect(try await broker.next() == nil)
            #expect(try await server.ask(.getRouteInfoByTopic, [("topic", "TBW102")]).code == 17)
        }
    }

    @Test func aSlaveIsToldItsMasterAndUnregisteringEndsTheRoute() async throws {
        try await RunningNameServer.with { server in
            #expect(try await server.register().code == 0)
            let slave = try await server.register(address: "127.0.0.3:20911", id: 1)
            #expect(slave.fields.string("masterAddr") == "127.0.0.2:20911")
            #expect(slave.fields.string("haServerAddr") == "ha-of-127.0.0.2:20911")
            for (address, id) in [("127.0.0.2:20911", "0"), ("127.0.0.3:20911", "1")] {
                let fields = [
                    ("brokerName", "broker-a"), ("brokerAddr", address), ("clusterName", "C1"), ("brokerId", id),
                ]
                #expect(try await server.ask(.unregisterBroker, fields).code == 0)
            }
            #expect(try await server.ask(.getRouteInfoByTopic, [("topic", "T1")]).code == 17)
        }
    }

    @Test func theDataVersionIsCompared() async throws {
        try await RunningNameServer.with { server in
            let fields = [
                ("brokerName", "broker-a"), ("brokerAddr", "127.0.0.2:20911"), ("clusterName", "C1"), ("brokerId", "0"),
            ]
            let version = "{\"counter\":1,\"timestamp\":7}"
            let unknown = try await server.ask(.queryDataVersion, fields, body: version)
            #expect(unknown.fields.bool("changed") == true)
            #expect(unknown.body.readableBytes == 0)
            _ = try await server.register(counter: 1)
            let same = try await server.ask(.queryDataVersion, fields, body: version)
            #expect(same.fields.bool("changed") == false)
            let other = try await server.ask(.queryDataVersion, fields, body: "{\"counter\":2,\"timestamp\":7}")
            #expect(other.fields.bool("changed") == true)
            #expect(Self.text(other) == version)
        }
    }

    // MARK: Administration

    @Test func listsClustersTopicsAndBrokers() async throws {
        try await RunningNameServer.with { server in
            _ = try await server.register(topics: ["T2", "T1"])
            let info = try await server.ask(.getBrokerClusterInfo)
            let expected = """
                {"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.2:20911"},"brokerName":"broker-a",\
                "cluster":"C1"}},"clusterAddrTable":{"C1":["broker-a"]}}
                """
            #expect(Self.text(info) == expected)
            #expect(
                Self.text(try await server.ask(.getAllTopicListFromNameServer)) == "{\"topicList\":[\"T1\",\"T2\"]}")
            let ofCluster = try await server.ask(.getTopicsByCluster, [("cluster", "C1")])
            #expect(Self.text(ofCluster) == "{\"topicList\":[\"T1\",\"T2\"]}")
            let ofNone = try await server.ask(.getTopicsByCluster, [("cluster", "C9")])
            #expect(Self.text(ofNone) == "{\"topicList\":[]}")
            let system = try await server.ask(.getSystemTopicListFromNameServer)
            #expect(Self.text(system) == "{\"brokerAddr\":\"127.0.0.2:20911\",\"topicList\":[\"C1\",\"broker-a\"]}")
            for code in [RequestCode.getUnitTopicList, .getHasUnitSubTopicList, .getHasUnitSubUnunitTopicList] {
                #expect(Self.text(try await server.ask(code)) == "{\"topicList\":[]}")
            }
            #expect(try await server.ask(.deleteTopicInNameServer, [("topic", "T1")]).code == 0)
            #expect(Self.text(try await server.ask(.getAllTopicListFromNameServer)) == "{\"topicList\":[\"T2\"]}")
        }
    }

    @Test func takesTheWritePermissionAndGivesItBack() async throws {
        try await RunningNameServer.with { server in
            _ = try await server.register(topics: ["T1", "T2"])
            let wiped = try await server.ask(.wipeWritePermOfBroker, [("brokerName", "broker-a")])
            #expect(wiped.fields.int32("wipeTopicCount") == 2)
            #expect(Self.text(try await server.ask(.getRouteInfoByTopic, [("topic", "T1")])).contains("\"perm\":4"))
            let added = try await server.ask(.addWritePermOfBroker, [("brokerName", "broker-a")])
            #expect(added.fields.int32("addTopicCount") == 2)
            #expect(Self.text(try await server.ask(.getRouteInfoByTopic, [("topic", "T1")])).contains("\"perm\":6"))
        }
    }

    @Test func keepsValues() async throws {
        try await RunningNameServer.with { server in
            let item = [("namespace", "N"), ("key", "k")]
            let missing = try await server.ask(.getKVConfig, item)
            #expect(missing.code == 22)
            #expect(missing.remark == "No config item, Namespace: N Key: k")
            #expect(try await server.ask(.putKVConfig, item + [("value", "v;1")]).code == 0)
            #expect(try await server.ask(.getKVConfig, item).fields.string("value") == "v;1")
            #expect(
                Self.text(try await server.ask(.getKVListByNamespace, [("namespace", "N")]))
                    == "{\"table\":{\"k\":\"v;1\"}}")
            #expect(try await server.ask(.deleteKVConfig, item).code == 0)
            #expect(try await server.ask(.getKVListByNamespace, [("namespace", "N")]).code == 22)
            let incomplete = try await server.ask(.putKVConfig, [("namespace", "N"), ("value", "v")])
            #expect(incomplete.code == 1)
            #expect(incomplete.remark == "namespace or key is null")
        }
    }

    @Test func orderedTopicsCarryTheirLayoutWhenAskedFor() async throws {
        try await RunningNameServer.with({ $0.attachesOrderConfiguration = true }) { server in
            let item = [("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T1"), ("value", "broker-a:4")]
            #expect(try await server.ask(.putKVConfig, item).code == 0)
            let registered = try await server.register()
            #expect(Self.text(registered) == "{\"table\":{\"T1\":\"broker-a:4\"}}")
            let route = try await server.ask(.getRouteInfoByTopic, [("topic", "T1")])
            #expect(Self.text(route).contains("\"orderTopicConf\":\"broker-a:4\""))
        }
    }

    @Test func settingsChangeOnlyWhereAllowed() async throws {
        try await RunningNameServer.with { server in
            for line in [
                "kvConfigPath=/tmp/x", "configStorePath=/tmp/x", "rocketmqHome=/x", "bindAddress=0.0.0.0", "new=1",
            ] {
                let refused = try await server.ask(.updateNameServerConfig, body: line + "\n")
                #expect(refused.code == 16, "\(line)")
                #expect(refused.remark == "Can not update config in black list.")
            }
            let mixed = try await server.ask(
                .updateNameServerConfig, body: "orderMessageEnable=true\nkvConfigPath=/x\n")
            #expect(mixed.code == 16)
            #expect(Self.text(try await server.ask(.getNameServerConfig)).contains("orderMessageEnable=false"))
            #expect(try await server.ask(.updateNameServerConfig, body: "orderMessageEnable=maybe").code == 1)
            #expect(try await server.ask(.updateNameServerConfig, body: "orderMessageEnable=true").code == 0)
            #expect(Self.text(try await server.ask(.getNameServerConfig)).contains("orderMessageEnable=true"))
        }
    }

    @Test func unknownRequestsAndMissingFieldsAreAnswered() async throws {
        try await RunningNameServer.with { server in
            let unknown = try await server.ask(RequestCode(rawValue: 9999))
            #expect(unknown.code == 3)
            #expect(unknown.remark == " request type 9999 not supported")
            #expect(try await server.ask(.getRouteInfoByTopic).code == 1)
            #expect(try await server.ask(.registerBroker).code == 1)
            #expect(try await server.ask(.queryDataVersion, body: "{").code == 1)
        }
    }

    // MARK: Abuse

    /// Damaged requests of every kind, at a live server; another client is served all the time.
    @Test func damagedRequestsDoNotDisturbOthers() async throws {
        var generator = SeededGenerator()
        let codes: [Int32] = [100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 219, 224, 304, 311, 318, 319, 322, 327]
        try await RunningNameServer.with { server in
            _ = try await server.register()
            for round in 0..<300 {
                let attacker = try await RawClient(address: server.address)
                let code = codes.randomElement(using: &generator) ?? 103
                try await attacker.send(Self.damaged(code: code, using: &generator))
                let route = try await server.ask(.getRouteInfoByTopic, [("topic", "T1")])
                #expect([0, 17].contains(route.code), "round \(round)")
                await attacker.close()
            }
            #expect(try await server.register(topics: ["After"]).code == 0)
        }
    }

    private static func damaged(code: Int32, using generator: inout SeededGenerator) -> ByteBuffer {
        var frame = ByteBuffer()
        let names = ["brokerName", "brokerAddr", "clusterName", "brokerId", "compressed", "topic", "namespace", "key"]
        let fields = names.filter { _ in Bool.random(using: &generator) }.map { name in
            (name, ["x", "0", "true", "-1", "99999999999999999999", ""].randomElement(using: &generator) ?? "x")
        }
        let bodies = [registration.body, "", "{", "[[[[[[", "{\"a\":{\"b\":1}}", "\u{0}\u{1}"]
        frame.writeRequest(
            RequestCode(rawValue: code),
            opaque: 1,
            oneWay: false,
            encoding: Bool.random(using: &generator) ? .json : .binary,
            header: EmptyHeader(),
            body: ByteBuffer(string: bodies.randomElement(using: &generator) ?? ""),
            extra: fields
        )
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            // Behind the length words, so that most of it still reaches the requests.
            let index = Int.random(in: 8..<frame.readableBytes, using: &generator)
            frame.setInteger(UInt8.random(in: .min ... .max, using: &generator), at: frame.readerIndex + index)
        }
        return frame
    }

    private static let brokerFields = """
        "brokerId":"0","clusterName":"C1","brokerAddr":"127.0.0.2:20911","brokerName":"broker-a"
        """

    private static func header(_ code: Int, opaque: Int, _ fields: String) -> String {
        """
        {"code":\(code),"extFields":{\(fields)},"flag":0,"language":"JAVA","opaque":\(opaque),"version":409}
        """
    }

    /// The registration of a broker with very many topics.
    private static var longRegistration: String {
        let topics = (0..<20_000).map { number in
            """
            "topic-\(number)":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG",\
            "topicName":"topic-\(number)","topicSysFlag":0,"writeQueueNums":4}
            """
        }
        return """
            {"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"timestamp":7},\
            "topicConfigTable":{\(topics.joined(separator: ","))}}}
            """
    }

    @Test func aGoodbyeDoesNotOvertakeTheLongRegistrationBeforeIt() async throws {
        try await RunningNameServer.with { server in
            let broker = try await RawClient(address: server.address)
            let more = #","haServerAddr":"127.0.0.2:20912","compressed":"false","bodyCrc32":"0""#
            try await broker.send(
                header: Self.header(103, opaque: 1, Self.brokerFields + more), body: Self.longRegistration)
            try await broker.send(header: Self.header(104, opaque: 2, Self.brokerFields))
            let answers = [try await broker.next(), try await broker.next()].compactMap(\.self)
            #expect(answers.map(\.opaque) == [1, 2])
            #expect(answers.map(\.code) == [0, 0])
            #expect(!Self.text(try await server.ask(.getBrokerClusterInfo)).contains("broker-a"))
            await broker.close()
        }
    }
}
